#include "tools/loadgen/traffic.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

namespace confab::loadgen {
namespace {

// A send that is later than this, because the tool was busy, counts from when it was due: else a
// server that stalls would seem faster than it is.
constexpr int64_t kLateNs = 1'000'000;

// Of one sender by rate: who has as many on their way is not waiting for a slow server but for one
// that does not answer.
constexpr uint32_t kOpenLimit = 1'000;

constexpr int64_t kMillisecondNs = 1'000'000;
constexpr int64_t kPauseMsMin = 100;  // After a refusal that does not say how long.

}  // namespace

Traffic::Traffic(Loop& loop, Crowd& crowd, Outcome& outcome)
    : loop_(loop),
      crowd_(crowd),
      outcome_(outcome),
      plan_(outcome.plan),
      checker_(plan_),
      content_(outcome.options.content_bytes),
      pacer_(plan_, NowNs()),
      due_(loop.io()),
      is_waiting_(plan_.senders(), false) {}

void Traffic::Begin() {
  is_sending_ = true;
  if (plan_.window == 0) {
    pacer_ = Pacer(plan_, NowNs());
    return SendDue();
  }
  for (uint32_t sender = 0; sender < plan_.senders(); ++sender) Pump(sender);
}

void Traffic::Measure() {
  measured_from_ = NowNs();
  const Counts before = outcome_.counts;
  outcome_.counts = {.refused = before.refused, .disconnected = before.disconnected};
  outcome_.ack.Clear();
  outcome_.delivery.Clear();
}

void Traffic::End() {
  is_sending_ = false;
  due_.cancel();
}

void Traffic::OnTick() {
  const int64_t now = NowNs();
  const auto over = std::partition(waiting_.begin(), waiting_.end(),
                                   [now](const auto& entry) { return entry.first > now; });
  std::vector<uint32_t> senders;
  for (auto entry = over; entry != waiting_.end(); ++entry) senders.push_back(entry->second);
  waiting_.erase(over, waiting_.end());
  for (const uint32_t sender : senders) {
    is_waiting_[sender] = false;
    Pump(sender);
  }
}

void Traffic::Pump(uint32_t sender) {
  if (plan_.window == 0) return;
  const ChatClient& client = crowd_.client(plan_.MemberOfSender(sender));
  while (is_sending_ && !is_waiting_[sender] && client.is_ready() &&
         checker_.open_of(sender) < plan_.window) {
    SendOne(sender, NowNs());
  }
}

void Traffic::SendDue() {
  int64_t now = NowNs();
  for (; is_sending_ && pacer_.due() <= now; pacer_.Advance(), now = NowNs()) {
    const uint32_t sender = pacer_.sender();
    if (!crowd_.client(plan_.MemberOfSender(sender)).is_ready()) continue;
    if (is_waiting_[sender] || checker_.open_of(sender) >= kOpenLimit) {
      if (IsMeasured(now)) ++outcome_.counts.skipped;
      continue;
    }
    SendOne(sender, now - pacer_.due() > kLateNs ? pacer_.due() : now);
  }
  if (!is_sending_) return;
  due_.expires_at(TimeOfNs(pacer_.due()));
  due_.async_wait([this](const boost::system::error_code& error) {
    if (!error) SendDue();
  });
}

void Traffic::SendOne(uint32_t sender, int64_t sent_at) {
  const uint32_t member = plan_.MemberOfSender(sender);
  const uint64_t number = checker_.OnSent(sender, sent_at);
  text_.clear();
  content_.Append({sender, number}, text_);
  key_.clear();
  fmt::format_to(std::back_inserter(key_), "{}-{}-{}", outcome_.keys, sender, number);
  crowd_.client(member).Send(number, key_, text_);
  if (IsMeasured(sent_at)) ++outcome_.counts.sent;
  FlushLater(member);
}

// What one turn of the loop sends leaves a client in one write.
void Traffic::FlushLater(uint32_t member) {
  unflushed_.push_back(member);
  if (unflushed_.size() > 1) return;
  boost::asio::post(loop_.io(), [this] {
    const std::vector<uint32_t> members = std::exchange(unflushed_, {});
    for (const uint32_t one : members) crowd_.client(one).Flush();
  });
}

void Traffic::OnReady(ChatClient& client, int64_t last_seq) {
  checker_.OnJoined(client.member(), last_seq);
}

void Traffic::OnAnswer(ChatClient& client, uint64_t number, const Answer& answer, int64_t now) {
  if (!plan_.Sends(client.member())) return;
  const uint32_t sender = plan_.SenderOf(client.member());
  if (!answer.is_ok) return OnRefused(sender, number, answer, now);
  const Checker::Step step = checker_.OnAcked(sender, number, answer.seq);
  if (step.counts && IsMeasured(step.sent_at)) {
    ++outcome_.counts.acked;
    outcome_.ack.Add(now - step.sent_at);
  }
  if (step.completes) Pump(sender);
}

void Traffic::OnRefused(uint32_t sender, uint64_t number, const Answer& answer, int64_t now) {
  checker_.OnRefused(sender, number);
  const std::string reason(answer.reason.empty() ? "UNKNOWN" : answer.reason);
  outcome_.Note(reason, std::string(answer.message));
  ++outcome_.counts.refused;
  if (!is_waiting_[sender]) {
    const int64_t pause_ms = std::max(kPauseMsMin, answer.retry_after_ms);
    waiting_.emplace_back(now + pause_ms * kMillisecondNs, sender);
    is_waiting_[sender] = true;
  }
}

void Traffic::OnEvent(ChatClient& client, const RoomEvent& event, int64_t now) {
  if (event.seq == 0) return;  // Nothing of a log: presence, typing.
  const uint32_t member = client.member();
  if (event.room != client.room()) return checker_.OnStrayed();
  if (event.name != "newMessage") return checker_.OnOtherEvent(member, event.seq);
  const std::optional<MessageMark> mark = content_.Read(event.content);
  if (!mark.has_value()) return checker_.OnCorrupt(member, event.seq);
  const Checker::Step step = checker_.OnDelivered(member, event.seq, *mark);
  if (step.counts && IsMeasured(step.sent_at)) {
    ++outcome_.counts.delivered;
    outcome_.delivery.Add(now - step.sent_at);
  }
  if (step.completes) Pump(mark->sender);
}

void Traffic::OnEnded(ChatClient& client, const Ending& ending) {
  if (ending.stage != Stage::kReady) return;
  checker_.OnLeft(client.member());
  ++outcome_.counts.disconnected;
  outcome_.Note(ending.reason.empty() ? "CLOSED" : ending.reason, ending.what);
  const uint32_t first = plan_.RoomOf(client.member()) * plan_.senders_per_room;
  for (uint32_t i = 0; i < plan_.senders_per_room; ++i) Pump(first + i);
}

}  // namespace confab::loadgen
