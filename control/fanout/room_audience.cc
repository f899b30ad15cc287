#include "control/fanout/room_audience.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "process/log.h"

namespace confab::control {
namespace {

bool IsCongested(const Seat& seat) {
  const auto* edge = dynamic_cast<const EdgeSeat*>(&seat);
  return edge != nullptr && edge->edge->stream().queued_bytes() > RoomAudience::kCongestedBytes;
}

}  // namespace

RoomAudience::RoomAudience(std::string topic, Room& room, EdgeOutbox& outbox)
    : topic_(std::move(topic)), room_(room), outbox_(outbox) {}

void RoomAudience::Publish(absl::FunctionRef<void(v1::RoomEvent&)> fill) {
  const auto first =
      std::find_if(edges_.begin(), edges_.end(), [](const auto& seat) { return seat->is_live; });
  v1::RoomEvent here;  // Where no edge takes it.
  v1::RoomEvent& event = first == edges_.end() ? here : AddEvent(**first);
  fill(event);
  for (const auto& seat : tails_) {
    if (seat->is_live && !Offer(*seat, event)) seat->is_live = false;
  }
  if (first == edges_.end()) return;
  // The others get a copy: each edge's items have memory of their own.
  for (auto seat = first + 1; seat != edges_.end(); ++seat) {
    if (!(*seat)->is_live) continue;
    assert((*seat)->position + 1 == event.event().seq());
    Broadcast(**seat, event);
  }
  // Last: what is added behind the event may hand it over, and it is gone then.
  assert((*first)->position + 1 == event.event().seq());
  OnAdded(**first, event);
}

std::vector<std::shared_ptr<Attachment>> RoomAudience::Edges() const {
  std::vector<std::shared_ptr<Attachment>> edges;
  edges.reserve(edges_.size());
  for (const auto& seat : edges_) edges.push_back(seat->edge);
  return edges;
}

void RoomAudience::Signal(const v1::Signal& signal, const Attachment* spared_edge,
                          uint64_t spared_connection, const std::string& other_topic) {
  for (const auto& seat : edges_) {
    v1::Broadcast& broadcast = *outbox_.Add(seat->edge).mutable_broadcast();
    broadcast.add_topics(topic_);
    if (!other_topic.empty()) broadcast.add_topics(other_topic);
    *broadcast.mutable_signal() = signal;
    if (seat->edge.get() == spared_edge) broadcast.set_except_connection(spared_connection);
  }
}

// --- Edges

std::vector<std::shared_ptr<Attachment>> RoomAudience::edges() const {
  std::vector<std::shared_ptr<Attachment>> edges;
  for (const auto& seat : edges_) edges.push_back(seat->edge);
  return edges;
}

EdgeSeat* RoomAudience::Find(const Attachment& edge) const {
  for (const auto& seat : edges_) {
    if (seat->edge.get() == &edge) return seat.get();
  }
  return nullptr;
}

bool RoomAudience::CanSubscribe(const Attachment& edge) const {
  const EdgeSeat* seat = Find(edge);
  return seat == nullptr || seat->is_live;
}

void RoomAudience::Subscribe(const std::shared_ptr<Attachment>& edge, uint64_t connection) {
  if (!edge->is_attached()) return;  // Nobody would take the seat away again.
  EdgeSeat* seat = Find(*edge);
  if (seat == nullptr) {
    auto made = std::make_shared<EdgeSeat>();
    made->edge = edge;
    made->position = room_.published_seq();
    made->is_live = true;
    seat = edges_.emplace_back(std::move(made)).get();
  }
  assert(seat->is_live);
  v1::Subscribe subscribe;
  subscribe.set_connection(connection);
  subscribe.set_topic(topic_);
  subscribe.set_from_seq(seat->position);
  seat->last_subscribe = outbox_.SendSubscribe(edge, std::move(subscribe));
}

void RoomAudience::Resume(const std::shared_ptr<Attachment>& edge, int64_t position) {
  if (!edge->is_attached() || Find(*edge) != nullptr) return;
  auto seat = std::make_shared<EdgeSeat>();
  seat->edge = edge;
  seat->position = position;
  edges_.push_back(seat);
  Start(seat);
}

bool RoomAudience::Release(const Attachment& edge, uint64_t subscribes_seen) {
  for (const auto& seat : edges_) {
    if (seat->edge.get() != &edge) continue;
    if (seat->last_subscribe > subscribes_seen) return false;
    Erase(std::shared_ptr<Seat>(seat));
    room_.OnEdgeSettled(edge);
    return true;
  }
  return true;
}

void RoomAudience::Detach(const Attachment& edge) {
  for (const auto& seat : edges_) {
    if (seat->edge.get() != &edge) continue;
    Erase(std::shared_ptr<Seat>(seat));
    break;
  }
  room_.OnEdgeSettled(edge);
}

v1::Unsubscribe& RoomAudience::AddUnsubscribe(const std::shared_ptr<Attachment>& edge,
                                              int64_t end_seq) {
  v1::Unsubscribe& unsubscribe = *outbox_.Add(edge).mutable_unsubscribe();
  unsubscribe.set_topic(topic_);
  unsubscribe.set_end_seq(end_seq);
  return unsubscribe;
}

void RoomAudience::UnsubscribeConnection(const std::shared_ptr<Attachment>& edge,
                                         uint64_t connection, int64_t end_seq) {
  AddUnsubscribe(edge, end_seq).set_connection(connection);
}

void RoomAudience::UnsubscribeUser(const std::shared_ptr<Attachment>& edge, const std::string& user,
                                   int64_t end_seq) {
  AddUnsubscribe(edge, end_seq).set_user_id(user);
}

void RoomAudience::UnsubscribeEverybody(const std::shared_ptr<Attachment>& edge, int64_t end_seq) {
  AddUnsubscribe(edge, end_seq).set_everybody(true);
}

// --- Tails

void RoomAudience::AddTail(std::shared_ptr<TailSeat> seat) {
  if (seat->is_cancelled) return;
  Start(tails_.emplace_back(std::move(seat)));
}

void RoomAudience::ResumeTail(const std::shared_ptr<TailSeat>& seat) {
  if (seat->is_gone || !seat->is_paused) return;
  seat->is_paused = false;
  Start(seat);
}

void RoomAudience::RemoveTail(const std::shared_ptr<TailSeat>& seat) {
  if (!seat->is_gone) Erase(seat);
}

void RoomAudience::EndTails(const absl::Status& why) {
  while (!tails_.empty()) {
    const std::shared_ptr<TailSeat> seat = tails_.back();
    Erase(seat);
    if (!seat->is_cancelled) seat->sink->End(why);
  }
}

void RoomAudience::EndAll(int64_t end_seq, const absl::Status& why) {
  EndTails(why);
  for (const auto& seat : edges_) {
    UnsubscribeEverybody(seat->edge, end_seq);
    seat->is_gone = true;
  }
  const auto edges = std::exchange(edges_, {});
  for (const auto& seat : edges) room_.OnEdgeSettled(*seat->edge);
}

void RoomAudience::Erase(const std::shared_ptr<Seat>& seat) {
  seat->is_gone = true;
  std::erase(edges_, seat);
  std::erase(tails_, seat);
}

// --- Catching up

void RoomAudience::Start(const std::shared_ptr<Seat>& seat) {
  if (seat->position == room_.published_seq()) {
    seat->is_live = true;
    return;
  }
  seat->is_live = false;
  seat->retry_after = kRetryMin;
  Read(seat);
}

void RoomAudience::Read(const std::shared_ptr<Seat>& seat) {
  if (seat->is_gone) return;
  if (IsCongested(*seat)) {
    room_.Later(kCongestedDelay, [this, seat] { Read(seat); });
    return;
  }
  room_.ReadLog(seat->position,
                [this, seat](const absl::StatusOr<SharedPage>& page) { OnPage(seat, page); });
}

void RoomAudience::RetryLater(const std::shared_ptr<Seat>& seat) {
  room_.Later(seat->retry_after, [this, seat] { Read(seat); });
  seat->retry_after = std::min(seat->retry_after * 2, kRetryMax);
}

void RoomAudience::OnPage(const std::shared_ptr<Seat>& seat,
                          const absl::StatusOr<SharedPage>& page) {
  if (seat->is_gone) return;
  if (!page.ok()) return RetryLater(seat);
  // Others have filled the stream meanwhile: it is read again when that has gone.
  if (IsCongested(*seat)) return Read(seat);
  const int64_t before = seat->position;
  if (!TakePage(seat, *page) || !TakeWindow(seat)) return;
  if (seat->position == room_.published_seq()) return BecomeLive(seat);
  if (seat->position == before) return RetryLater(seat);
  seat->retry_after = kRetryMin;
  Read(seat);
}

// False: the seat has been dealt with.
bool RoomAudience::TakePage(const std::shared_ptr<Seat>& seat, const SharedPage& page) {
  for (const SharedEvent& event : page.events) {
    const int64_t seq = event.seq();
    if (seq <= seat->position) continue;
    if (seq > room_.published_seq()) break;  // Comes live, or from a later page.
    // Behind 0 means from the beginning, wherever that is.
    if (seq != seat->position + 1 && seat->position > 0) {
      EndAtHole(seat);
      return false;
    }
    if (!Give(*seat, *event)) return false;
  }
  return true;
}

// All that is left, where the window meets the position: so the seat is live at the end of this
// turn, however much is published meanwhile. False: the seat has been dealt with.
bool RoomAudience::TakeWindow(const std::shared_ptr<Seat>& seat) {
  const LogWindow* window = room_.window();
  if (window == nullptr || !window->Covers(seat->position) || IsCongested(*seat)) return true;
  constexpr PageLimits kAll = {LogWindow::kEventsLimit, LogWindow::kBytesLimit};
  for (const SharedEvent& event : window->Behind(seat->position, kAll).events) {
    if (!Give(*seat, *event)) return false;
  }
  return true;
}

void RoomAudience::BecomeLive(const std::shared_ptr<Seat>& seat) {
  seat->is_live = true;
  if (const auto* edge = dynamic_cast<const EdgeSeat*>(seat.get())) {
    room_.OnEdgeSettled(*edge->edge);
  }
}

// The log does not reach back to the seat's position: retention was faster, or the room was deleted
// and made anew.
void RoomAudience::EndAtHole(const std::shared_ptr<Seat>& seat) {
  process::LogWarn("the log no longer holds what a subscriber has missed",
                   {{"topic", topic_}, {"position", seat->position}});
  Erase(seat);
  if (const auto* edge = dynamic_cast<const EdgeSeat*>(seat.get())) {
    UnsubscribeEverybody(edge->edge, 0);
    room_.OnEdgeSettled(*edge->edge);
  } else if (auto* tail = dynamic_cast<TailSeat*>(seat.get()); !tail->is_cancelled) {
    tail->sink->End(absl::OutOfRangeError("the log does not reach back to this position"));
  }
}

// --- Giving

bool RoomAudience::Give(Seat& seat, const v1::RoomEvent& event) {
  if (auto* tail = dynamic_cast<TailSeat*>(&seat)) return Offer(*tail, event);
  Broadcast(static_cast<EdgeSeat&>(seat), event);
  return true;
}

void RoomAudience::Broadcast(EdgeSeat& seat, const v1::RoomEvent& event) {
  AddEvent(seat) = event;
  OnAdded(seat, event);
}

v1::RoomEvent& RoomAudience::AddEvent(const EdgeSeat& seat) {
  v1::Broadcast& broadcast = *outbox_.Add(seat.edge).mutable_broadcast();
  broadcast.add_topics(topic_);
  return *broadcast.mutable_event();
}

void RoomAudience::OnAdded(EdgeSeat& seat, const v1::RoomEvent& event) {
  seat.position = event.event().seq();
  std::string removed;
  if (event.event().has_member_removed()) removed = event.event().member_removed().user_id();
  if (event.event().has_member_banned()) removed = event.event().member_banned().user_id();
  if (!removed.empty()) UnsubscribeUser(seat.edge, removed, seat.position);
}

bool RoomAudience::Offer(TailSeat& seat, const v1::RoomEvent& event) {
  // A cancelled tail takes everything: it is about to be removed.
  seat.is_paused = !seat.is_cancelled && !seat.sink->Offer(event.event());
  if (!seat.is_paused) seat.position = event.event().seq();
  return !seat.is_paused;
}

}  // namespace confab::control
