#include "control/notification/edge_reports.h"

#include <utility>

namespace confab::control {

void EdgeReports::Send(const Edges& edges, const v1::ControlItem& item, Clock::time_point now,
                       Done done) {
  number_ += step_;
  Sum sum;
  for (const auto& edge : edges) {
    if (!edge->is_attached()) continue;
    sum.missing.push_back(edge.get());
    v1::ControlItem& sent = outbox_.Add(edge);
    sent = item;
    v1::PushedNotification& pushed = sent.has_direct()
                                         ? *sent.mutable_direct()->mutable_notification()
                                         : *sent.mutable_broadcast()->mutable_notification();
    pushed.set_report(number_);
  }
  if (sum.missing.empty()) return done(0, true);
  sum.until = now + kWaitLimit;
  sum.done = std::move(done);
  sums_.emplace(number_, std::move(sum));
}

void EdgeReports::OnReport(const Attachment& edge, const v1::NotificationReport& report) {
  const auto found = sums_.find(report.report());
  if (found == sums_.end()) return;
  Sum& sum = found->second;
  if (std::erase(sum.missing, &edge) == 0) return;
  sum.connections += report.connections();
  if (!sum.missing.empty()) return;
  Sum whole = std::move(sum);
  sums_.erase(found);
  whole.done(whole.connections, whole.is_exact);
}

void EdgeReports::Detach(const Attachment& edge) {
  for (auto at = sums_.begin(); at != sums_.end();) {
    const auto here = at++;
    Sum& sum = here->second;
    if (std::erase(sum.missing, &edge) == 0) continue;
    sum.is_exact = false;
    if (!sum.missing.empty()) continue;
    Sum whole = std::move(sum);
    sums_.erase(here);
    whole.done(whole.connections, false);
  }
}

EdgeReports::Clock::time_point EdgeReports::Expire(Clock::time_point now) {
  while (!sums_.empty()) {
    const auto first = sums_.begin();
    if (first->second.until > now) return first->second.until;
    Sum late = std::move(first->second);
    sums_.erase(first);
    late.done(late.connections, false);
  }
  return Clock::time_point::max();
}

}  // namespace confab::control
