#include "control/dispatch/recoveries.h"

#include <iterator>
#include <utility>
#include <vector>

#include <absl/types/span.h>

#include "confab/v1/edge_link.pb.h"

#include "process/metrics.h"

namespace confab::control {
namespace {

constexpr char kName[] = "confab_control_recoveries_total";
constexpr char kHelp[] =
    "Sessions that edges have asked for: found in memory, at another edge, or nothing.";

// recovery.proto.
constexpr size_t kNameBytesLimit = 64;

bool IsWithinLimits(const v1::LostSession& session) {
  const auto is_name = [](const std::string& text) {
    return !text.empty() && text.size() <= kNameBytesLimit;
  };
  return is_name(session.pid()) && is_name(session.sid()) && !session.user_id().empty() &&
         session.ByteSizeLong() <= Recoveries::kSessionBytesLimit;
}

}  // namespace

// What an edge is told, once the lock is free.
struct Recoveries::Told {
  std::shared_ptr<Attachment> asker;
  uint64_t ticket = 0;  // The asker's.
  std::optional<v1::LostSession> session = {};
  bool is_from_memory = false;
};

Recoveries::Recoveries(const EdgeRegistry& edges, process::Metrics& metrics)
    : edges_(edges),
      metrics_(metrics),
      from_memory_(metrics.AddCounter(kName, kHelp, {{"from", "memory"}})),
      from_edge_(metrics.AddCounter(kName, kHelp, {{"from", "edge"}})),
      nothing_(metrics.AddCounter(kName, kHelp, {{"from", "nowhere"}})) {
  metrics_.AddGaugeFn(
      "confab_control_sessions_kept", "Sessions that draining edges have handed over", {},
      [this] {
        const process::MutexLock lock(mu_);
        return static_cast<double>(kept_.size());
      },
      this);
}

Recoveries::~Recoveries() { metrics_.RemoveGaugeFns(this); }

void Recoveries::Ask(const std::shared_ptr<Attachment>& asker, v1::RecoveryQuestion question,
                     SteadyTime now) {
  Told told{.asker = asker, .ticket = question.ticket()};
  if (question.pid().empty() || question.ByteSizeLong() > kQuestionBytesLimit) {
    return Tell(std::move(told));
  }
  std::shared_ptr<Attachment> asked = edges_.Find(question.edge_id());
  v1::ControlItem item;
  {
    const process::MutexLock lock(mu_);
    TidyLocked(now);
    told.session = kept_.Take(question, now);
    told.is_from_memory = told.session.has_value();
    const bool can_be_asked =
        asked != nullptr && asked->epoch() == question.epoch() && asked != asker;
    if (!told.session && can_be_asked && under_way_.size() < kUnderWayLimit) {
      *item.mutable_recovery_question() = question;
      item.mutable_recovery_question()->set_ticket(++last_ticket_);
      under_way_.emplace_hint(under_way_.end(), last_ticket_,
                              UnderWay{.asker = asker,
                                       .asked = asked,
                                       .question = std::move(question),
                                       .until = now + kWait});
    }
  }
  if (!item.has_recovery_question()) return Tell(std::move(told));
  asked->stream().Send(absl::MakeSpan(&item, 1));
}

void Recoveries::OnAnswer(const Attachment& from, v1::RecoveryAnswer answer, SteadyTime now) {
  Told told;
  {
    const process::MutexLock lock(mu_);
    TidyLocked(now);
    const auto found = under_way_.find(answer.ticket());
    if (found == under_way_.end() || found->second.asked.get() != &from) return;
    UnderWay asked = std::move(found->second);
    under_way_.erase(found);
    if (answer.has_session() && IsWithinLimits(answer.session()) &&
        IsAskedFor(answer.session(), asked.question)) {
      told = {.asker = std::move(asked.asker),
              .ticket = asked.question.ticket(),
              .session = std::move(*answer.mutable_session())};
    } else {
      told = LookAgain(std::move(asked), now);
    }
  }
  Tell(std::move(told));
}

void Recoveries::HandOver(const Attachment& from, const v1::SessionHandedOver& handed,
                          SteadyTime now) {
  if (!IsWithinLimits(handed.session())) return;
  const process::MutexLock lock(mu_);
  TidyLocked(now);
  kept_.Keep(from.edge_id(), from.epoch(), handed, now);
}

void Recoveries::Detach(const Attachment& edge, SteadyTime now) {
  std::vector<Told> all;
  {
    const process::MutexLock lock(mu_);
    TidyLocked(now);
    for (auto it = under_way_.begin(); it != under_way_.end();) {
      const bool is_over = it->second.asked.get() == &edge || it->second.asker.get() == &edge;
      if (it->second.asked.get() == &edge) all.push_back(LookAgain(std::move(it->second), now));
      it = is_over ? under_way_.erase(it) : std::next(it);
    }
  }
  for (Told& told : all) Tell(std::move(told));
}

void Recoveries::Tidy(SteadyTime now) {
  const process::MutexLock lock(mu_);
  TidyLocked(now);
}

void Recoveries::TidyLocked(SteadyTime now) {
  while (!under_way_.empty() && under_way_.begin()->second.until <= now) {
    under_way_.erase(under_way_.begin());
    nothing_.Add();
  }
  kept_.Tidy(now);
}

Recoveries::Told Recoveries::LookAgain(UnderWay&& asked, SteadyTime now) {
  Told told{.asker = std::move(asked.asker), .ticket = asked.question.ticket()};
  told.session = kept_.Take(asked.question, now);
  told.is_from_memory = told.session.has_value();
  return told;
}

void Recoveries::Tell(Told&& told) {
  if (!told.session) nothing_.Add();
  if (told.session) (told.is_from_memory ? from_memory_ : from_edge_).Add();
  v1::ControlItem item;
  item.mutable_recovery_answer()->set_ticket(told.ticket);
  if (told.session) *item.mutable_recovery_answer()->mutable_session() = *std::move(told.session);
  told.asker->stream().Send(absl::MakeSpan(&item, 1));
}

}  // namespace confab::control
