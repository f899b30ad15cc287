#include "control/fanout/window_budget.h"

#include "control/fanout/log_window.h"

namespace confab::control {

void WindowBudget::CloseExcess() {
  while (bytes_ > bytes_limit_ && !open_.empty()) open_.front()->Close();
}

void WindowBudget::CloseUnread(Time since) {
  while (!open_.empty() && open_.front()->read_at() < since) open_.front()->Close();
}

}  // namespace confab::control
