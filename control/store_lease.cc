#include "control/store_lease.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "process/log.h"

namespace confab::control {
namespace {

std::string Message(const absl::Status& status) { return std::string(status.message()); }

bool MayPass(const absl::Status& status) {
  return status.code() != absl::StatusCode::kInvalidArgument &&
         status.code() != absl::StatusCode::kFailedPrecondition &&
         status.code() != absl::StatusCode::kUnimplemented;
}

}  // namespace

StoreLease::StoreLease(StoreLeaseOptions options)
    : options_(std::move(options)), readiness_(absl::UnavailableError("starting")) {}

StoreLease::~StoreLease() { Stop(); }

void StoreLease::Start() {
  thread_ = std::thread([this] { Run(); });
}

void StoreLease::Stop() {
  {
    const process::MutexLock lock(mu_);
    is_stopping_ = true;
    is_active_ = false;
    readiness_ = absl::UnavailableError("stopping");
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool StoreLease::is_active() const {
  const process::MutexLock lock(mu_);
  return is_active_;
}

absl::Status StoreLease::Readiness() const {
  const process::MutexLock lock(mu_);
  return readiness_;
}

void StoreLease::Run() {
  if (!Open() || !BecomeActive()) return;
  process::LogInfo("this control is the active one", {{"store", options_.store_name}});
  options_.on_active(*store_);
  {
    const process::MutexLock lock(mu_);
    is_active_ = !is_stopping_;
  }
  Watch();
}

bool StoreLease::Open() {
  absl::Duration pause = options_.retry_min;
  while (true) {
    absl::StatusOr<std::unique_ptr<storage::Store>> store = options_.open();
    if (store.ok()) {
      store_ = *std::move(store);
      return true;
    }
    if (!MayPass(store.status())) {
      Fail(absl::Status(store.status().code(),
                        fmt::format("the store {} cannot be used: {}", options_.store_name,
                                    Message(store.status()))));
      return false;
    }
    process::LogWarn(
        "the store cannot be opened; check that it runs and that --store is right; trying again",
        {{"store", options_.store_name},
         {"error", Message(store.status())},
         {"retry_ms", absl::ToInt64Milliseconds(pause)}});
    SetReadiness(absl::UnavailableError(fmt::format("the store {} cannot be opened: {}",
                                                    options_.store_name, Message(store.status()))));
    if (!Pause(pause)) return false;
    pause = std::min(pause * 2, options_.retry_max);
  }
}

bool StoreLease::BecomeActive() {
  std::string said;
  while (true) {
    const absl::StatusOr<bool> active = store_->TryBecomeActive();
    if (active.ok() && *active) return true;
    if (!active.ok() && !MayPass(active.status())) {
      Fail(absl::Status(active.status().code(),
                        fmt::format("the store {} cannot be used: {}", options_.store_name,
                                    Message(active.status()))));
      return false;
    }
    const std::string state =
        active.ok() ? "standby: another control holds the lock of the store; takes over when it is "
                      "free"
                    : fmt::format("cannot become the active control of the store: {}",
                                  Message(active.status()));
    // Once for each state: twice a second it would hide everything else.
    if (state != said) process::LogWarn(state, {{"store", options_.store_name}});
    said = state;
    SetReadiness(absl::UnavailableError(state));
    if (!Pause(options_.lock_interval)) return false;
  }
}

void StoreLease::Watch() {
  auto next_ping = std::chrono::steady_clock::now();
  do {
    // A database that is merely away leaves the lock as it was; the ping below tells of it.
    const absl::StatusOr<bool> is_active = store_->IsActive();
    if (is_active.ok() && !*is_active) {
      Fail(absl::FailedPreconditionError(
          fmt::format("the lock of the store {} was lost and another control is or was active; "
                      "this one ends",
                      options_.store_name)));
      return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (is_serving_ && now < next_ping) continue;
    next_ping = now + absl::ToChronoNanoseconds(options_.ping_interval);
    SetServing(store_->Ping());
  } while (Pause(options_.lock_interval));
}

void StoreLease::SetServing(const absl::Status& store) {
  const bool is_serving = store.ok();
  if (is_serving != is_serving_ || !has_served_) {
    if (!is_serving) {
      process::LogWarn("the store does not answer; commands are refused as retryable until it does",
                       {{"store", options_.store_name}, {"error", Message(store)}});
    } else if (has_served_) {
      process::LogInfo("the store answers again", {{"store", options_.store_name}});
    }
    is_serving_ = is_serving;
    has_served_ = true;
    options_.on_serving(is_serving);
  }
  SetReadiness(is_serving
                   ? absl::OkStatus()
                   : absl::UnavailableError(fmt::format("the store {} does not answer: {}",
                                                        options_.store_name, Message(store))));
}

void StoreLease::SetReadiness(absl::Status readiness) {
  const process::MutexLock lock(mu_);
  if (!is_stopping_) readiness_ = std::move(readiness);
}

void StoreLease::Fail(const absl::Status& why) {
  SetReadiness(why);
  options_.on_fatal(why);
}

bool StoreLease::Pause(absl::Duration time) {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(time);
  process::MutexLock lock(mu_);
  while (!is_stopping_) {
    if (!lock.WaitUntil(changed_, until)) break;
  }
  return !is_stopping_;
}

}  // namespace confab::control
