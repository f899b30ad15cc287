#include "control/notification/key_lookup.h"

#include <chrono>
#include <utility>

#include "control/room/event_message.h"

namespace confab::control {

using storage::InboxOutcome;
using storage::UserId;

namespace {

// Of one lane at a time; each is one row by its key.
constexpr size_t kReadsLimit = 4;

}  // namespace

KeyLookup::KeyLookup(Lane& lane, ReadPool& readers, storage::Store& store, GoOn go_on)
    : reads_(lane, readers, kReadsLimit), store_(store), go_on_(std::move(go_on)) {}

KeyLookup::Turn KeyLookup::Take(std::unique_ptr<NotifyCall>& call, bool has_to_ask) {
  if (behind_.empty() && !has_to_ask) return Turn::kNow;
  const UserId user(call->what.user_id());
  const auto found = behind_.find(user);
  if (found == behind_.end()) {
    if (!has_to_ask) return Turn::kNow;
    behind_.try_emplace(user);
    Ask(std::move(call));
    return Turn::kLater;
  }
  if (found->second.size() >= kBehindLimit) return Turn::kFull;
  found->second.push_back({std::move(call), has_to_ask});
  return Turn::kLater;
}

void KeyLookup::Ask(std::unique_ptr<NotifyCall> call) {
  reads_.Read(
      [this, &store = store_, call = std::move(call)](bool is_stopping) mutable -> Lane::Task {
        InboxOutcome first;
        // Whoever asked may have given up.
        if (!is_stopping && call->deadline > std::chrono::steady_clock::now()) {
          const absl::Time since = TimeOf(call->made.created_at()) - storage::kInboxKeyAge;
          auto asked = store.FindInboxKey(UserId(call->what.user_id()), DedupOf(*call), since);
          if (asked.ok()) first = *std::move(asked);
        }
        return [this, call = std::move(call), first = std::move(first)]() mutable {
          OnAnswer(std::move(call), first);
        };
      });
}

// Goes on with it and with all behind it, up to the next that has to ask.
void KeyLookup::OnAnswer(std::unique_ptr<NotifyCall> call, const InboxOutcome& first) {
  const UserId user(call->what.user_id());
  go_on_(std::move(call), first);
  while (true) {
    const auto found = behind_.find(user);
    if (found->second.empty()) return void(behind_.erase(found));
    Held next = std::move(found->second.front());
    found->second.pop_front();
    if (next.has_to_ask) return Ask(std::move(next.call));
    go_on_(std::move(next.call), InboxOutcome());
  }
}

}  // namespace confab::control
