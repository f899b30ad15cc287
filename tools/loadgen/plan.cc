#include "tools/loadgen/plan.h"

#include <fmt/format.h>

namespace confab::loadgen {
namespace {

// A sender with more on its way than that measures its own queue.
constexpr uint32_t kWindowLimit = 10'000;
constexpr double kRateLimit = 100'000;

absl::Status Bad(const char* option, const std::string& what) {
  return absl::InvalidArgumentError(fmt::format("--{}: {}", option, what));
}

absl::Status CheckCount(const char* option, uint32_t value, uint32_t limit) {
  if (value >= 1 && value <= limit) return absl::OkStatus();
  return Bad(option, fmt::format("give a number from 1 to {}", limit));
}

absl::StatusOr<Plan> FanoutPlan(const PlanOptions& options) {
  if (auto status = CheckCount("members", options.members, kMembersLimit); !status.ok()) {
    return status;
  }
  if (auto status = CheckCount("senders", options.senders, options.members); !status.ok()) {
    return status;
  }
  return Plan{.members_per_room = options.members,
              .senders_per_room = options.senders,
              .window = options.window};
}

absl::StatusOr<Plan> GroupsPlan(const PlanOptions& options) {
  if (auto status = CheckCount("users", options.members, kMembersLimit); !status.ok()) {
    return status;
  }
  if (auto status = CheckCount("room-size", options.room_size, options.members); !status.ok()) {
    return status;
  }
  if (options.members % options.room_size != 0) {
    return Bad("users", fmt::format("{} do not fill rooms of {}: give a multiple of --room-size",
                                    options.members, options.room_size));
  }
  return Plan{.rooms = options.members / options.room_size,
              .members_per_room = options.room_size,
              .senders_per_room = options.room_size,
              .window = options.window,
              .rate = options.rate};
}

// Of who only listens.
absl::StatusOr<Plan> QuietPlan(const char* option, const PlanOptions& options) {
  if (auto status = CheckCount(option, options.members, kMembersLimit); !status.ok()) {
    return status;
  }
  if (auto status = CheckCount("rooms", options.rooms, options.members); !status.ok()) {
    return status;
  }
  if (options.members % options.rooms != 0) {
    return Bad(option, fmt::format("{} do not fill {} rooms: give a multiple of --rooms",
                                   options.members, options.rooms));
  }
  return Plan{.rooms = options.rooms, .members_per_room = options.members / options.rooms};
}

absl::StatusOr<Plan> PlanOf(Scenario scenario, const PlanOptions& options) {
  switch (scenario) {
    case Scenario::kFanout:
      return FanoutPlan(options);
    case Scenario::kPairs:
    case Scenario::kChat:
      return GroupsPlan(options);
    case Scenario::kDurable:
      if (auto status = CheckCount("rooms", options.rooms, kMembersLimit); !status.ok()) {
        return status;
      }
      return Plan{.rooms = options.rooms, .senders_per_room = 1, .window = options.window};
    case Scenario::kIdle:
      return QuietPlan("connections", options);
    case Scenario::kHandshake:
      return QuietPlan("users", options);
  }
  return absl::InternalError("no such scenario");
}

}  // namespace

const char* NameOf(Scenario scenario) {
  switch (scenario) {
    case Scenario::kFanout:
      return "fanout";
    case Scenario::kPairs:
      return "pairs";
    case Scenario::kChat:
      return "chat";
    case Scenario::kDurable:
      return "durable";
    case Scenario::kIdle:
      return "idle";
    case Scenario::kHandshake:
      return "handshake";
  }
  return "";
}

absl::StatusOr<Plan> MakePlan(Scenario scenario, const PlanOptions& options) {
  absl::StatusOr<Plan> plan = PlanOf(scenario, options);
  if (!plan.ok() || plan->senders() == 0) return plan;
  if (scenario == Scenario::kChat) {
    if (!(plan->rate > 0 && plan->rate <= kRateLimit)) {
      return Bad("rate", fmt::format("give messages a second of a user, up to {}", kRateLimit));
    }
    return plan;
  }
  plan->rate = 0;
  if (auto status = CheckCount("window", plan->window, kWindowLimit); !status.ok()) return status;
  return plan;
}

Pacer::Pacer(const Plan& plan, int64_t begin)
    : senders_(plan.senders()), step_(1e9 / (plan.rate * plan.senders())), begin_(begin) {}

int64_t Pacer::due() const {
  return begin_ + static_cast<int64_t>(static_cast<double>(turn_) * step_);
}

}  // namespace confab::loadgen
