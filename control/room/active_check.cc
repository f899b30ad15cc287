#include "control/room/active_check.h"

#include <algorithm>
#include <utility>

namespace confab::control {
namespace {

// Copied by nobody but the lane: a status is made anew for each question.
absl::Status Check(storage::Store& store) {
  const auto is_active = store.IsActive();
  if (!is_active.ok()) return absl::UnavailableError(is_active.status().message());
  return *is_active ? absl::OkStatus()
                    : absl::UnavailableError("another control is active; try again");
}

}  // namespace

void ActiveCheck::Ask(Done done) {
  waiting_.push_back(std::move(done));
  if (!is_asking_) AskStore();
}

void ActiveCheck::AskStore() {
  is_asking_ = true;
  reads_.Read([this, asked = std::exchange(waiting_, {})](bool is_stopping) mutable -> Lane::Task {
    auto status = is_stopping ? absl::UnavailableError("control is stopping") : Check(store_);
    return [this, asked = std::move(asked), status = std::move(status)]() mutable {
      OnAnswer(std::move(asked), status);
    };
  });
}

void ActiveCheck::OnAnswer(std::vector<Done> asked, const absl::Status& status) {
  is_asking_ = false;
  Tell(std::move(asked), 0, status);
  if (!waiting_.empty() && !is_asking_) AskStore();
}

// The store's word was asked for after they came, so it holds for the last of them too.
void ActiveCheck::Tell(std::vector<Done> asked, size_t next, const absl::Status& status) {
  const size_t end = std::min(asked.size(), next + kToldATurn);
  for (; next < end; ++next) asked[next](status);
  if (next == asked.size()) return;
  lane_.Post([this, asked = std::move(asked), next, status]() mutable {
    Tell(std::move(asked), next, status);
  });
}

}  // namespace confab::control
