#include "edge/recovery/recoverable.h"

#include <algorithm>
#include <utility>

namespace confab::edge {

Recoverable::Recoverable(OffsetStamp& stamp, std::string_view dialect, std::string_view nsp,
                         Wish wish)
    : stamp_(stamp), dialect_(dialect), nsp_(nsp), wish_(std::move(wish)), pid_(DrawPid()) {}

void Recoverable::Decide(const v1::LostSession* session) {
  is_decided_ = true;
  wish_ = {};
  if (session == nullptr) return;
  const std::optional<Pid> pid = ParsePid(session->pid());
  if (!pid) return;
  pid_ = *pid;
  sid_ = session->sid();
  is_recovered_ = true;
  found_ = std::make_unique<v1::LostSession>(*session);
}

// Another thread may have come further than ours when the client lost the connection.
void Recoverable::BeginBehind(std::uint64_t number) {
  begun_behind_ = BroadcastsOf(number);
  alone_ = AloneOf(number);
}

std::uint64_t Recoverable::TellableBroadcasts() const {
  return std::max(BroadcastsOf(stamp_.number()), begun_behind_);
}

// At the limit frames have the number of what is shared, and prove no more than that.
void Recoverable::SpendAlone() { alone_ = std::min(alone_ + 1, kAloneLimit); }

Recoverable::Alone::Alone(Recoverable* one)
    : one_(one), before_(one == nullptr ? 0 : one->stamp_.number()) {
  if (one_ == nullptr || one_->alone_ + 1 >= kAloneLimit) return;
  one_->stamp_.Set(NumberOf(BroadcastsOf(before_), one_->alone_ + 1));
}

Recoverable::Alone::~Alone() {
  if (one_ != nullptr) one_->stamp_.Set(before_);
}

std::uint64_t Recoverable::Alone::OnSent() {
  if (one_ == nullptr) return 0;
  const std::uint64_t number = one_->stamp_.number();
  one_->SpendAlone();
  return AloneOf(number) == 0 ? 0 : number;
}

void Recoverable::Alone::OnReplayed() {
  OnSent();
  if (one_ == nullptr) return;
  one_->has_replayed_ = true;
  one_->from_alone_ = one_->alone_;
}

void Recoverable::Raise(std::uint64_t from_broadcast) {
  from_broadcast_ = std::max(from_broadcast_, from_broadcast);
}

// Live events of other rooms went out meanwhile, so their numbers say too much; but who has the last
// event that was read for it has all.
void Recoverable::OnReplayDone(bool is_last) {
  if (has_replayed_) Raise(TellableBroadcasts() + 1);
  if (is_last) has_replayed_ = false;
}

void Recoverable::Invalidate() {
  Raise(TellableBroadcasts() + 1);
  from_alone_ = alone_ + 1;
}

// The offset that its client came with is no proof of it.
void Recoverable::InvalidateBefore() {
  const std::uint64_t now = BroadcastsOf(stamp_.number());
  Raise(now > begun_behind_ ? now : begun_behind_ + 1);
  from_alone_ = alone_ + 1;
}

// Its client has more than the offset says, and would get that twice.
void Recoverable::OnSentLate(std::uint64_t number) {
  if (BroadcastsOf(number) < BroadcastsOf(stamp_.number())) Raise(BroadcastsOf(stamp_.number()));
}

GoodOffsets Recoverable::offsets(bool is_owed) const {
  return {.from_broadcast = from_broadcast_, .from_alone = from_alone_, .is_none = is_owed};
}

}  // namespace confab::edge
