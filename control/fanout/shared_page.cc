#include "control/fanout/shared_page.h"

#include <algorithm>

namespace confab::control {

void CutTo(const PageLimits& limits, SharedPage& page) {
  size_t bytes = 0;
  size_t kept = 0;
  while (kept < std::min(page.events.size(), limits.events)) {
    bytes += page.events[kept].bytes();
    if (kept > 0 && bytes > limits.bytes) break;
    ++kept;
  }
  if (kept == page.events.size()) return;
  page.events.erase(page.events.begin() + static_cast<std::ptrdiff_t>(kept), page.events.end());
  page.more = true;
}

}  // namespace confab::control
