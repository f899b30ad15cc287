#include "tests/edge/connection/property_bed.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "tests/edge/connection/connection_fixture.h"

namespace confab::edge {

Seeds SeedsOf(int schedules) {
  const char* given = std::getenv("CONFAB_TEST_SEED");
  Seeds seeds;
  seeds.first = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                                 : std::random_device()();
  seeds.count = given != nullptr ? 1 : schedules;
  std::printf("seed %u\n", seeds.first);
  return seeds;
}

SharedFrame StampedEncoder::Encode(const v1::Event& event, std::string_view /*actor_email*/,
                                   std::string& scratch) const {
  scratch = fmt::format("{} {} {}", event.room_id(), event.seq(), stamp_.number());
  return SharedFrame::Copy(scratch);
}

void PropertyBed::Fault(std::string what) {
  if (fault_.empty()) fault_ = std::move(what);
}

void PropertyBed::MakeConnection() {
  connection_ = std::make_unique<Connection>(static_cast<ConnectionHost&>(*this),
                                             static_cast<ClientWire&>(*this),
                                             static_cast<Transport&>(*this), encoder_);
}

void PropertyBed::Authenticate() {
  if (connection_->Authenticate(Token())) Fault("the token is refused");
}

void PropertyBed::DropConnection() {
  connection_->Leave();
  hub_.Remove(*connection_);
  hub_.TakeEmptied();
  turns_.Forget(connection_->id());
  pending_.clear();
}

// --- what happens

void PropertyBed::Hear() {
  if (control_.to_edge.empty()) return;
  const v1::ControlItem item = std::move(control_.to_edge.front());
  control_.to_edge.pop_front();
  if (item.has_subscribe()) {
    OnSubscribe(item.subscribe());
  } else if (item.has_unsubscribe()) {
    OnUnsubscribe(item.unsubscribe());
  } else if (item.has_broadcast()) {
    const std::string& topic = item.broadcast().topics(0);
    OnBroadcast(topic, item.broadcast().event().event().seq());
    hub_.Deliver(topic, 0, item.broadcast().event());
  } else if (const std::optional<Pending> done = Take(item.result().request())) {
    connection_->OnResult(done->command, done->reply_id, item.result());
  }
  CallTurns();
}

void PropertyBed::OnSubscribe(const v1::Subscribe& subscribe) {
  if (subscribe.connection() != connection_->id()) return;
  const std::string room = RoomOfTopic(subscribe.topic());
  if (!connection_->IsJoining(room) && !hub_.PositionOf(subscribe.topic(), *connection_)) return;
  const Hub::Joined joined = hub_.Subscribe(subscribe.topic(), *connection_, subscribe.from_seq());
  const auto since = connection_->OnSubscribed(room, joined.since, joined.is_new);
  if (since) hub_.Hold(subscribe.topic(), *connection_, *since);
  OnSubscribed(room, since.value_or(subscribe.from_seq()), joined.is_new);
}

void PropertyBed::OnUnsubscribe(const v1::Unsubscribe& unsubscribe) {
  if (unsubscribe.connection() != connection_->id()) return;
  const std::string room = RoomOfTopic(unsubscribe.topic());
  hub_.Unsubscribe(unsubscribe.topic(), *connection_);
  connection_->OnUnsubscribed(room, unsubscribe.end_seq());
  OnUnsubscribed(room);
}

std::optional<PropertyBed::Pending> PropertyBed::Take(std::uint64_t request) {
  const auto found = pending_.find(request);
  if (found == pending_.end()) return std::nullopt;
  Pending taken = std::move(found->second);
  pending_.erase(found);
  if (const auto turn = TurnQueue::KindOf(taken.command)) {
    turns_.GiveBack(*turn, taken.command.connection());
  }
  return taken;
}

void PropertyBed::Tick() {
  if (std::exchange(wants_tick_, false)) connection_->OnTick();
  CallTurns();
}

void PropertyBed::ReadSome() {
  room_for_ = Below(6);
  if (room_for_ > 0) connection_->OnDrained();
}

void PropertyBed::CallTurns() {
  while (const auto called = turns_.Call()) {
    if (*called == connection_->id()) connection_->Replay();
  }
  hub_.TakeEmptied();
}

// --- what the connection asks of its thread

void PropertyBed::Enter(Connection& connection) {
  connection.OnEntered(last_connection_ + 1, nullptr);
}

bool PropertyBed::Forward(v1::Command&& command, std::optional<std::uint64_t> reply_id) {
  const std::optional<TurnQueue::Kind> turn = TurnQueue::KindOf(command);
  if (turn && !turns_.Take(*turn, command.connection())) return false;
  command.set_request(++last_request_);
  control_.to_control.push_back(command);
  pending_[last_request_] = {std::move(command), reply_id};
  return true;
}

std::optional<std::int64_t> PropertyBed::PositionOf(const Connection& connection,
                                                    std::string_view room) {
  return hub_.PositionOf(TopicOfRoom(room), connection);
}

void PropertyBed::GoLive(Connection& connection, std::string_view room, std::int64_t after_seq) {
  hub_.GoLive(TopicOfRoom(room), connection, after_seq);
}

void PropertyBed::Unsubscribe(Connection& connection, std::string_view room) {
  hub_.Unsubscribe(TopicOfRoom(room), connection);
}

// --- what the client is told

bool PropertyBed::Send(const SharedFrame& frame, DeliveryClass /*delivery*/) {
  const std::string text(frame.bytes());
  const std::size_t seq = text.find(' ') + 1;
  const std::size_t number = text.find(' ', seq) + 1;
  OnEvent(text.substr(0, seq - 1), std::stoll(text.substr(seq)), std::stoull(text.substr(number)));
  room_for_ -= room_for_ > 0 ? 1 : 0;
  return true;
}

void PropertyBed::SayResult(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                            const v1::Result& result) {
  if (result.has_error()) return SayRefusal(command, reply_id, result.error());
  OnDone(command, reply_id, result);
}

}  // namespace confab::edge
