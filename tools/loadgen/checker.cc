#include "tools/loadgen/checker.h"

namespace confab::loadgen {
namespace {

// A jump over more is counted and not remembered: what fills it later counts as doubled.
constexpr int64_t kJumpLimit = 10'000;
// Let go of in one move, so that a message costs no move of all.
constexpr size_t kLetGoAtOnce = 1'024;

}  // namespace

Checker::Checker(const Plan& plan)
    : plan_(plan),
      senders_(plan.senders()),
      positions_(plan.members()),
      live_in_room_(plan.rooms, 0) {}

Checker::Message* Checker::Sender::Find(uint64_t number) {
  if (number < base || number >= next()) return nullptr;
  return &messages[head + (number - base)];
}

void Checker::OnJoined(uint32_t member, int64_t last_seq) {
  Position& position = positions_[member];
  if (!position.is_live) ++live_in_room_[plan_.RoomOf(member)];
  position = {last_seq, true};
}

void Checker::OnLeft(uint32_t member) {
  Position& position = positions_[member];
  if (!position.is_live) return;
  position.is_live = false;
  const uint32_t room = plan_.RoomOf(member);
  --live_in_room_[room];
  for (uint32_t i = 0; i < plan_.senders_per_room; ++i) {
    const uint32_t index = room * plan_.senders_per_room + i;
    Sender& sender = senders_[index];
    for (size_t at = sender.head; at < sender.messages.size(); ++at) {
      Message& message = sender.messages[at];
      const bool was_complete = message.is_complete();
      const bool is_due_here = message.seq == 0 || message.seq > position.last_seq;
      if (is_due_here && message.due > message.delivered) --message.due;
      // Its own answers do not come any more.
      if (plan_.MemberOfSender(index) == member && !message.is_settled()) message.is_refused = true;
      StepOf(sender, message, was_complete);
    }
    LetGo(sender);
  }
}

uint64_t Checker::OnSent(uint32_t index, int64_t sent_at) {
  Sender& sender = senders_[index];
  const uint64_t number = sender.next();
  sender.messages.push_back(
      {.sent_at = sent_at, .due = live_in_room_[index / plan_.senders_per_room]});
  ++sender.open;
  ++open_;
  return number;
}

Checker::Step Checker::OnAcked(uint32_t index, uint64_t number, int64_t seq) {
  Sender& sender = senders_[index];
  Message* message = sender.Find(number);
  if (message == nullptr || message->is_settled()) return {};
  const bool was_complete = message->is_complete();
  message->is_acked = true;
  if (message->seq != 0 && message->seq != seq) ++faults_.misnumbered;
  if (message->seq == 0) LearnSeq(sender, number, seq);
  const Step step = StepOf(sender, *message, was_complete);
  LetGo(sender);
  return step;
}

Checker::Step Checker::OnRefused(uint32_t index, uint64_t number) {
  Sender& sender = senders_[index];
  Message* message = sender.Find(number);
  if (message == nullptr || message->is_settled()) return {};
  const bool was_complete = message->is_complete();
  message->is_refused = true;
  const Step step = StepOf(sender, *message, was_complete);
  LetGo(sender);
  return step;
}

Checker::Step Checker::OnDelivered(uint32_t member, int64_t seq, const MessageMark& mark) {
  if (mark.sender >= senders_.size() || mark.number >= senders_[mark.sender].next()) {
    OnCorrupt(member, seq);
    return {};
  }
  if (plan_.RoomOf(plan_.MemberOfSender(mark.sender)) != plan_.RoomOf(member)) {
    OnStrayed();
    return {};
  }
  if (Advance(member, seq) != Arrival::kNext) return {};
  Sender& sender = senders_[mark.sender];
  Message* message = sender.Find(mark.number);
  // Everybody has it, or it stands in the log twice.
  if (message == nullptr || (message->seq != 0 && message->seq != seq && message->delivered > 0)) {
    ++faults_.doubled;
    return {};
  }
  const bool was_complete = message->is_complete();
  if (message->seq == 0) LearnSeq(sender, mark.number, seq);
  if (message->seq != seq) {  // The acknowledgement said another one.
    ++faults_.misnumbered;
    message->seq = seq;
  }
  ++message->delivered;
  Step step = StepOf(sender, *message, was_complete);
  step.counts = true;
  LetGo(sender);
  return step;
}

void Checker::OnCorrupt(uint32_t member, int64_t seq) {
  ++faults_.corrupt;
  Advance(member, seq);
}

Checker::Arrival Checker::Advance(uint32_t member, int64_t seq) {
  Position& position = positions_[member];
  if (!position.is_live) return Arrival::kIgnored;
  if (seq <= position.last_seq) {
    const auto holes = holes_.find(member);
    if (holes == holes_.end() || holes->second.erase(seq) == 0) {
      ++faults_.doubled;
      return Arrival::kAgain;
    }
    --faults_.missing;
    ++faults_.disordered;
    return Arrival::kNext;
  }
  const int64_t jump = seq - position.last_seq - 1;
  faults_.missing += static_cast<uint64_t>(jump);
  if (jump > 0 && jump <= kJumpLimit) {
    std::set<int64_t>& holes = holes_[member];
    for (int64_t hole = position.last_seq + 1; hole < seq; ++hole) holes.insert(hole);
  }
  position.last_seq = seq;
  return Arrival::kNext;
}

// A sender's messages stand in the log as they were sent.
void Checker::LearnSeq(Sender& sender, uint64_t number, int64_t seq) {
  sender.Find(number)->seq = seq;
  const Message* before = number == 0 ? nullptr : sender.Find(number - 1);
  const int64_t seq_before = before == nullptr ? sender.last_seq : before->seq;
  const Message* behind = sender.Find(number + 1);
  const bool is_late = seq_before > seq;
  const bool is_passed = behind != nullptr && behind->seq != 0 && behind->seq < seq;
  if (is_late || is_passed) ++faults_.disordered;
}

Checker::Step Checker::StepOf(Sender& sender, Message& message, bool was_complete) {
  Step step{.counts = true, .sent_at = message.sent_at};
  if (was_complete || !message.is_complete()) return step;
  step.completes = true;
  --sender.open;
  --open_;
  return step;
}

void Checker::LetGo(Sender& sender) {
  while (sender.head < sender.messages.size() && sender.messages[sender.head].is_complete()) {
    const Message& message = sender.messages[sender.head];
    // One that was refused may still come, to as many as it is due to.
    if (message.is_refused && message.delivered < message.due &&
        sender.messages.size() - sender.head <= kLetGoAtOnce) {
      break;
    }
    if (message.seq != 0) sender.last_seq = message.seq;
    ++sender.head;
    ++sender.base;
  }
  if (sender.head == sender.messages.size()) {
    sender.messages.clear();
    sender.head = 0;
  } else if (sender.head >= kLetGoAtOnce) {
    sender.messages.erase(sender.messages.begin(),
                          sender.messages.begin() + static_cast<std::ptrdiff_t>(sender.head));
    sender.head = 0;
  }
}

Faults Checker::Finish() const {
  Faults faults = faults_;
  for (const Sender& sender : senders_) {
    for (size_t at = sender.head; at < sender.messages.size(); ++at) {
      const Message& message = sender.messages[at];
      if (message.is_complete()) continue;
      if (!message.is_settled()) ++faults.unanswered;
      // Not answered and seen by nobody: not stored, as far as anybody can tell.
      if (message.is_acked || message.delivered > 0) faults.lost += message.due - message.delivered;
    }
  }
  return faults;
}

}  // namespace confab::loadgen
