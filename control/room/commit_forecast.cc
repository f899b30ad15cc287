#include "control/room/commit_forecast.h"

#include <algorithm>

namespace confab::control {

bool CommitForecast::Outlook::Refuses(Rank rank, Clock::time_point now,
                                      Clock::time_point deadline) const {
  if (rank == Rank::kOther || !is_tight()) return false;
  return is_away || (rank == Rank::kSend && deadline - now < wait);
}

CommitForecast::Clock::time_point CommitForecast::Outlook::Deadline(
    Rank rank, Clock::time_point now, Clock::time_point deadline) const {
  if (rank == Rank::kOther || !is_in_doubt) return deadline;
  return std::min(deadline, now + kDoubtPatience);
}

bool CommitForecast::Outlook::TakeProbe() {
  if (!takes_probe) return false;
  takes_probe = false;
  retry = kRetryMin;
  return true;
}

uint32_t CommitForecast::Outlook::retry_after_ms() const {
  const auto told = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::clamp(retry, kRetryMin, kRetryMax));
  return static_cast<uint32_t>(told.count());
}

CommitForecast::CommitForecast(size_t batch, Duration away_after)
    : batch_(batch), away_after_(away_after) {}

CommitForecast::Ticks CommitForecast::TicksOf(Clock::time_point time) {
  return std::chrono::duration_cast<Duration>(time.time_since_epoch()).count();
}

void CommitForecast::SeesTurn(Clock::time_point now, bool is_usual) {
  is_usual_ = is_usual;
  turn_since_.store(TicksOf(now), std::memory_order_relaxed);
}

void CommitForecast::SeesTurnEnd(Clock::time_point now) {
  const Ticks took = TicksOf(now) - turn_since_.load(std::memory_order_relaxed);
  const Ticks usual = usual_.load(std::memory_order_relaxed);
  if (is_usual_) usual_.store(usual + (took - usual) / kSmoothing, std::memory_order_relaxed);
  turn_since_.store(kNever, std::memory_order_relaxed);
}

void CommitForecast::SeesWriter(Clock::time_point now) {
  writer_since_.store(TicksOf(now), std::memory_order_relaxed);
}

void CommitForecast::SeesNoWriter(Clock::time_point now) {
  is_usual_ = false;
  const Ticks since = writer_since_.exchange(kNever, std::memory_order_relaxed);
  const bool is_forgotten = since != kNever && Duration(TicksOf(now) - since) > kForgetAfter;
  if (is_forgotten) failing_since_.store(kNever, std::memory_order_relaxed);
}

// What failed began to fail when its turn began.
void CommitForecast::SeesFailure(Clock::time_point now) {
  is_usual_ = false;
  if (failing_since_.load(std::memory_order_relaxed) != kNever) return;
  const Ticks turn = turn_since_.load(std::memory_order_relaxed);
  failing_since_.store(turn == kNever ? TicksOf(now) : turn, std::memory_order_relaxed);
}

// What has gone on for a time is expected to go on for as long again.
CommitForecast::Outlook CommitForecast::At(Clock::time_point now) const {
  const Ticks turn_since = turn_since_.load(std::memory_order_relaxed);
  const Ticks writer_since = writer_since_.load(std::memory_order_relaxed);
  Ticks failing_since = failing_since_.load(std::memory_order_relaxed);
  const size_t waiting = waiting_.load(std::memory_order_relaxed);
  const Duration usual(usual_.load(std::memory_order_relaxed));
  const auto elapsed = [now](Ticks since) {
    return since == kNever ? Duration::zero() : Duration(std::max<Ticks>(0, TicksOf(now) - since));
  };
  const Duration away_after = std::max(away_after_, usual * kAwayFactor);
  const bool is_forgotten = elapsed(writer_since) > kForgetAfter;
  Outlook outlook;
  outlook.is_in_doubt = !is_forgotten && elapsed(failing_since) > away_after;
  if (elapsed(writer_since) > kTrustAfter) failing_since = kNever;
  const Duration turn = elapsed(turn_since);
  const Duration failing = elapsed(failing_since);
  outlook.wait = usual * static_cast<Ticks>(waiting / batch_ + 1);  // Its own turn too.
  if (turn_since != kNever) outlook.wait += std::max(turn, usual);
  if (failing_since != kNever) outlook.wait = std::max(outlook.wait, failing + kProbeEvery);
  outlook.retry = outlook.wait;
  // A turn that has just begun is about to tell whether the store is back.
  const bool is_told_soon = failing_since != kNever && turn_since != kNever && turn < kTightFrom;
  if (is_told_soon) outlook.retry = kRetryMin;
  outlook.is_away = std::max(turn, failing) > away_after;
  outlook.takes_probe = turn_since == kNever && waiting == 0 && writer_since != kNever;
  return outlook;
}

}  // namespace confab::control
