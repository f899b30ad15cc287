// http_target.h: the target of a request line, taken apart.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace confab::edge {

struct HttpTarget {
  std::string path;                                        // As sent, not decoded.
  std::vector<std::pair<std::string, std::string>> query;  // Decoded, in order.

  // The last value of that key, which is what the reference takes; "" if there is none.
  std::string_view Get(std::string_view key) const;
  bool Has(std::string_view key) const;
};

// Never fails: what is no valid %xx stands as it came.
HttpTarget ParseHttpTarget(std::string_view target);

}  // namespace confab::edge
