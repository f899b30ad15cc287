// What is decided of a message, and what its lane does with it before and behind the commit.
#include <cstdint>
#include <string>

#include <absl/time/time.h>

#include "control/room/permission.h"
#include "control/room/room.h"
#include "tests/bench/control_benches.h"
#include "tests/bench/lane_bed.h"

namespace confab::control {

namespace {

using benchmark::DoNotOptimize;
using benchmark::State;
using storage::Role;
using storage::UserId;
using tests::Require;

void AskPermission(State& state) {
  Standing who{.role = Role::kMember};
  RoomRules rules;
  for (auto _ : state) {
    DoNotOptimize(who);
    DoNotOptimize(Permit(RoomAct::kPost, who, rules));
  }
}

UserId UserOf(int number) {
  return UserId("0199f3c1-aaaa-7bbb-8ccc-" + std::to_string(100'000'000'000 + number));
}

// Of a room with so many members in memory; each posts in turn.
void DecidePost(State& state, int members) {
  storage::RoomSnapshot snapshot;
  snapshot.room.id = storage::RoomId("room-1");
  snapshot.room.member_seq = members;
  for (int i = 0; i < members; ++i) {
    snapshot.members.push_back({.user = UserOf(i), .role = Role::kMember, .changed_seq = i + 1});
  }
  Room room(snapshot);
  const storage::DedupKey key{storage::DedupKey::Space::kClient, "c-1234567890"};
  const absl::Time now = absl::FromUnixSeconds(1'795'244'645);
  std::size_t next = 0;
  for (auto _ : state) {
    const Verdict verdict = room.DecidePost(snapshot.members[next].user, key, now);
    DoNotOptimize(verdict.kind);
    if (++next == snapshot.members.size()) next = 0;
  }
  Require(room.DecidePost(UserOf(0), key, now).kind == Verdict::Kind::kAllow,
          "a member may not post");
}

void TranslatePost(State& state) {
  LaneBed bed;
  for (auto _ : state) {
    auto command = bed.Translated();
    command->edge->Release();
    DoNotOptimize(command.get());
  }
}

// All that control does for a message but the store, the threads and gRPC: so many in a turn.
void PostOnLane(State& state, int messages) {
  LaneBed bed;
  const int64_t before = bed.items();
  for (auto _ : state) {
    for (int i = 0; i < messages; ++i) bed.Submit(bed.Translated());
    bed.Commit();
    bed.Flush();
  }
  // An event and a Result each.
  Require(bed.items() - before == 2 * messages * state.iterations(), "items are missing");
}

}  // namespace

void AddRoomBenches(tests::BenchList& list) {
  list.Add({"room/permission", "question", 1, 5'000, AskPermission});
  for (const int members : {1, 5'000}) {
    list.Add({"room/decide_post/" + std::to_string(members), "decision", 1, 5'000,
              [members](State& state) { DecidePost(state, members); }});
  }
  list.Add({"room/translate_post", "message", 1, 300, TranslatePost});
  for (const int messages : {1, 64}) {
    list.Add({"room/post/" + std::to_string(messages), "message", messages, 320 / messages,
              [messages](State& state) { PostOnLane(state, messages); }});
  }
}

}  // namespace confab::control
