#include "edge/distributor.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include "edge/control_link/recovery_questions.h"
#include "process/log.h"

namespace confab::edge {

namespace {

// The low byte of connection and request numbers is the thread.
std::size_t ThreadOf(std::uint64_t number) { return number & 0xff; }

TopicTable::ThreadMask Bit(std::size_t thread) { return TopicTable::ThreadMask{1} << thread; }

v1::EdgeItem ReportItem(std::uint64_t report, std::size_t connections) {
  v1::EdgeItem item;
  item.mutable_notification_report()->set_report(report);
  item.mutable_notification_report()->set_connections(static_cast<std::uint32_t>(connections));
  return item;
}

// Clients are, not the edge itself.
bool IsTold(const v1::ControlItem& item) { return item.has_broadcast() || item.has_direct(); }

// 0: none is wanted.
std::uint64_t ReportOf(const v1::ControlItem& item) {
  if (item.has_broadcast()) return item.broadcast().notification().report();
  return item.has_direct() ? item.direct().notification().report() : 0;
}

}  // namespace

void Distributor::OnStreamOpened(std::uint64_t stream) {
  {
    const process::MutexLock lock(mu_);
    stream_ = stream;
    subscribes_at_opening_ = topics_.subscribes();
    announcing_ = recipients_.size();
    announced_.clear();
    // Of this moment: nothing is distributed before the announcement is out, and what a thread
    // still has is in the table for sure.
    positions_ = topics_.Positions();
  }
  for (Recipient* recipient : recipients_) recipient->PostAnnounce(stream);
}

void Distributor::OnAnnounced(std::uint64_t stream,
                              std::vector<v1::AnnouncedConnection> connections) {
  std::vector<v1::Hello> chunks;
  std::vector<v1::EdgeItem> drain;
  {
    const process::MutexLock lock(mu_);
    if (stream != stream_) return;
    announced_.insert(announced_.end(), std::make_move_iterator(connections.begin()),
                      std::make_move_iterator(connections.end()));
    if (--announcing_ > 0) return;
    chunks = BuildHello(identity_, std::exchange(positions_, {}), std::exchange(announced_, {}));
    drain = DrainItems();
  }
  link_.Announce(stream, std::move(chunks));
  if (!drain.empty()) link_.Send(stream, drain);
}

std::vector<v1::EdgeItem> Distributor::DrainItems() const {
  if (!drained_at_) return {};
  const auto left = *drained_at_ - std::chrono::steady_clock::now();
  v1::EdgeItem item;
  item.mutable_draining()->set_remaining_ms(static_cast<std::uint32_t>(
      std::max<std::int64_t>(0, absl::ToInt64Milliseconds(absl::FromChrono(left)))));
  return {item};
}

void Distributor::OnDraining(absl::Duration time) {
  std::vector<v1::EdgeItem> items;
  std::uint64_t stream = 0;
  {
    const process::MutexLock lock(mu_);
    drained_at_ = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(time);
    stream = stream_;
    items = DrainItems();
  }
  // A stream that is not announced yet is told twice, which changes nothing.
  if (stream != 0) link_.Send(stream, items);
}

void Distributor::OnStreamClosed(std::uint64_t stream) {
  {
    const process::MutexLock lock(mu_);
    stream_ = 0;
    reports_.clear();
  }
  is_attached_.store(false, std::memory_order_relaxed);
  metrics_.link_attached.Set(0);
  for (Recipient* recipient : recipients_) recipient->PostClosed(stream);
}

TopicTable::ThreadMask Distributor::AllThreads() const {
  return recipients_.size() == TopicTable::kThreadsLimit ? ~TopicTable::ThreadMask{0}
                                                         : Bit(recipients_.size()) - 1;
}

TopicTable::ThreadMask Distributor::ThreadsOf(const std::string& topic) const {
  return topic == kTopicOfAll ? AllThreads() : topics_.ThreadsOf(topic);
}

bool Distributor::RouteBroadcast(const v1::Broadcast& broadcast, TopicTable::ThreadMask& threads) {
  if (!broadcast.has_event()) {
    for (const std::string& topic : broadcast.topics()) threads |= ThreadsOf(topic);
    return true;
  }
  if (broadcast.topics_size() != 1) return false;
  const std::string& topic = broadcast.topics(0);
  const TopicTable::Passing passing = topics_.OnEvent(topic, broadcast.event().event().seq());
  switch (passing.verdict) {
    case TopicTable::Verdict::kDeliver:
      threads = passing.threads;
      if (ring_ != nullptr) {
        ring_->Add(broadcasts_, RoomOfTopic(topic), broadcast.event().event().seq());
      }
      return true;
    case TopicTable::Verdict::kDuplicate:
    case TopicTable::Verdict::kUnwanted:
      return true;
    case TopicTable::Verdict::kGap:
      return false;
  }
  return false;
}

bool Distributor::Route(const v1::ControlItem& item, TopicTable::ThreadMask& threads) {
  const auto to_thread = [&](std::uint64_t number) {
    if (ThreadOf(number) < recipients_.size()) threads = Bit(ThreadOf(number));
  };
  switch (item.item_case()) {
    case v1::ControlItem::kWelcome:
      threads = AllThreads();
      return true;
    case v1::ControlItem::kSubscribe:
      to_thread(item.subscribe().connection());
      if (threads != 0) {
        topics_.OnSubscribe(item.subscribe().topic(), ThreadOf(item.subscribe().connection()),
                            item.subscribe().from_seq());
      }
      return true;
    case v1::ControlItem::kUnsubscribe:
      if (item.unsubscribe().target_case() == v1::Unsubscribe::kConnection) {
        to_thread(item.unsubscribe().connection());
      } else {
        threads = topics_.ThreadsOf(item.unsubscribe().topic());
      }
      return true;
    case v1::ControlItem::kBroadcast:
      return RouteBroadcast(item.broadcast(), threads);
    case v1::ControlItem::kResult:
      to_thread(item.result().connection());
      return true;
    case v1::ControlItem::kCloseConnection:
      to_thread(item.close_connection().connection());
      return true;
    case v1::ControlItem::kDirect:
      to_thread(item.direct().connection());
      return true;
    case v1::ControlItem::kInboxState:
      to_thread(item.inbox_state().connection());
      return true;
    case v1::ControlItem::kRecoveryAnswer:
      to_thread(item.recovery_answer().ticket());
      return true;
    case v1::ControlItem::kRecoveryQuestion:  // Of no thread in particular.
    case v1::ControlItem::kDrain:
    case v1::ControlItem::ITEM_NOT_SET:  // Of a newer control.
      return true;
  }
  return true;
}

void Distributor::OnItems(std::uint64_t stream, std::shared_ptr<const v1::AttachResponse> batch) {
  std::vector<ItemBatch> parts(recipients_.size());
  std::vector<v1::EdgeItem> reports;  // Of what nobody here has.
  std::optional<absl::Duration> drain;
  bool is_impossible = false;
  bool is_welcome = false;
  bool has_questions = false;
  {
    const process::MutexLock lock(mu_);
    if (stream != stream_) return;
    const std::uint64_t broadcasts_before = broadcasts_;
    for (int i = 0; i < batch->items_size() && !is_impossible; ++i) {
      TopicTable::ThreadMask threads = 0;
      if (IsTold(batch->items(i))) ++broadcasts_;
      is_impossible = !Route(batch->items(i), threads);
      is_welcome |= batch->items(i).has_welcome();
      has_questions |= batch->items(i).has_recovery_question();
      if (batch->items(i).has_drain()) {
        drain = absl::Milliseconds(batch->items(i).drain().drain_ms());
      }
      if (const std::uint64_t report = ReportOf(batch->items(i)); report != 0) {
        if (threads == 0) reports.push_back(ReportItem(report, 0));
        if (threads != 0) reports_[report].missing = std::popcount(threads);
      }
      for (; threads != 0; threads &= threads - 1) {
        auto& items = parts[static_cast<std::size_t>(std::countr_zero(threads))].items;
        if (items.empty()) items.reserve(static_cast<std::size_t>(batch->items_size() - i));
        items.push_back(
            {.place = i,
             .broadcasts = static_cast<std::uint32_t>(broadcasts_ - broadcasts_before)});
      }
    }
    for (ItemBatch& part : parts) {
      part.broadcasts_before = broadcasts_before;
      part.subscribes_seen = topics_.subscribes();
    }
  }
  if (is_welcome) {
    is_attached_.store(true, std::memory_order_relaxed);
    metrics_.link_attached.Set(1);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].items.empty()) continue;
    parts[i].batch = batch;
    recipients_[i]->PostItems(std::move(parts[i]));
  }
  if (!reports.empty()) link_.Send(stream, reports);
  if (has_questions) AnswerQuestions(stream, *batch);
  if (drain && drain_ != nullptr) drain_(*drain);
  if (is_impossible) {
    metrics_.link_resets.Add();
    link_.Reset(stream, "an event is missing, or a broadcast has not one topic");
  }
}

// Each has its answer, so that nobody waits for one in vain.
void Distributor::AnswerQuestions(std::uint64_t stream, const v1::AttachResponse& batch) {
  for (const v1::ControlItem& item : batch.items()) {
    if (!item.has_recovery_question()) continue;
    const v1::RecoveryQuestion& question = item.recovery_question();
    const std::uint64_t ticket = question.ticket();
    const bool is_ours =
        question.edge_id() == identity_.edge_id && question.epoch() == identity_.epoch;
    if (!is_ours || find_session_ == nullptr) {
      AnswerQuestion(stream, ticket, std::nullopt);
      continue;
    }
    find_session_(question, [this, stream, ticket](std::optional<v1::LostSession> session) {
      AnswerQuestion(stream, ticket, std::move(session));
    });
  }
}

// On a stream that is over by now it goes nowhere.
void Distributor::AnswerQuestion(std::uint64_t stream, std::uint64_t ticket,
                                 std::optional<v1::LostSession> session) {
  std::vector<v1::EdgeItem> items;
  v1::RecoveryAnswer& answer = *items.emplace_back().mutable_recovery_answer();
  answer.set_ticket(ticket);
  if (session && session->ByteSizeLong() <= RecoveryQuestions::kSessionBytesLimit) {
    *answer.mutable_session() = *std::move(session);
  }
  link_.Send(stream, items);
}

void Distributor::KeepBroadcasts() {
  const process::MutexLock lock(mu_);
  ring_ = std::make_unique<BroadcastRing>();
}

std::optional<std::vector<std::int64_t>> Distributor::FirstBehind(
    std::uint64_t n, std::span<const std::string_view> rooms) {
  std::vector<std::int64_t> first(rooms.size(), INT64_MAX);
  const process::MutexLock lock(mu_);
  if (n > broadcasts_ || !ring_->ReachesBackTo(n)) return std::nullopt;
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    first[i] = ring_->FirstBehind(rooms[i], n).value_or(INT64_MAX);
  }
  return first;
}

void Distributor::OnHandedOver(std::uint64_t report, std::size_t connections) {
  std::vector<v1::EdgeItem> items;
  std::uint64_t stream = 0;
  {
    const process::MutexLock lock(mu_);
    const auto found = reports_.find(report);
    if (found == reports_.end()) return;  // Of an earlier stream.
    found->second.connections += connections;
    if (--found->second.missing > 0) return;
    stream = stream_;
    items.push_back(ReportItem(report, found->second.connections));
    reports_.erase(found);
  }
  link_.Send(stream, items);
}

void Distributor::Want(std::size_t thread, std::string_view topic) {
  const process::MutexLock lock(mu_);
  topics_.OnWanted(topic, thread);
}

void Distributor::Release(std::size_t thread, const std::vector<std::string>& topics,
                          std::uint64_t subscribes_seen) {
  std::vector<v1::EdgeItem> items;
  std::uint64_t stream = 0;
  {
    const process::MutexLock lock(mu_);
    stream = stream_;
    for (const std::string& topic : topics) {
      const bool is_gone = topics_.OnReleased(topic, thread, subscribes_seen);
      // Of topics that connections have by themselves control learns with the connections.
      if (!is_gone || stream_ == 0 || RoomOfTopic(topic).empty()) continue;
      v1::TopicReleased& released = *items.emplace_back().mutable_topic_released();
      released.set_topic(topic);
      released.set_subscribes_seen(topics_.subscribes() - subscribes_at_opening_);
    }
  }
  if (!items.empty()) link_.Send(stream, items);
}

}  // namespace confab::edge
