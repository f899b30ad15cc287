#include "tests/bench/lane_bed.h"

#include <future>
#include <utility>

#include <absl/time/clock.h>

#include "control/dispatch/command_translator.h"
#include "tests/bench/bench_list.h"

namespace confab::control {

using storage::AppendOutcome;
using storage::RoomId;
using storage::UserId;
using tests::Require;

namespace {

constexpr char kRoom[] = "room-1";
constexpr char kUser[] = "0199f3c1-aaaa-7bbb-8ccc-000000000001";
constexpr uint64_t kConnection = 0x101;

LogReads Reads(process::Metrics& metrics) {
  return {metrics.AddCounter("memory", ""), metrics.AddCounter("store", "")};
}

}  // namespace

uint64_t BatchingStream::Send(ItemBatch batch) {
  items_ += batch->items_size();
  Require(outbox_.Push(std::move(batch)) && outbox_.Take(write_), "the stream took nothing");
  write_.Clear();
  return 0;
}

LaneBed::LaneBed()
    : tools_{0,        lane_, store_,        reads_,   outbox_,       results_,
             commits_, *this, own_pointers_, windows_, active_check_, Reads(metrics_)},
      room_(RoomId(kRoom), tools_),
      actor_(std::make_shared<storage::Actor>(
          storage::Actor{UserId(kUser), "Ann Example", "ann@example.org"})),
      start_(std::chrono::steady_clock::now()) {
  Require(*store_.TryBecomeActive(), "the store is another's");
  storage::NewRoom made;
  made.id = RoomId(kRoom);
  made.members.emplace_back(UserId(kUser), storage::Role::kMember);
  const auto record = (*store_.OpenWriter())->CreateRoom(made);
  Require(record.ok(), "the room cannot be made");
  last_seq_ = record->last_seq;

  sample_.actor = actor_;
  sample_.command.set_connection(kConnection);
  v1::PostMessage& post = *sample_.command.mutable_post_message();
  post.set_room_id(kRoom);
  post.set_content(std::string(200, 'x'));
  post.set_client_msg_id("c-1234567890");
  Load();
}

LaneBed::~LaneBed() {
  readers_.Stop();
  lane_.Stop();
}

// A first message makes the room load itself; a reader thread does that, and then it was decided.
void LaneBed::Load() {
  lane_.Start([] {});
  lane_.Post([this] { Submit(Translated()); });
  for (bool is_decided = false; !is_decided;) {
    std::promise<bool> answer;
    lane_.Post([this, &answer] { answer.set_value(!commits_.empty()); });
    is_decided = answer.get_future().get();
  }
  room_.audience().Subscribe(edge_, kConnection);
  Commit();
  Flush();
}

EdgeCommand LaneBed::Post() {
  EdgeCommand asked = sample_;
  asked.command.set_request(static_cast<uint64_t>(++requests_));
  return asked;
}

std::unique_ptr<RoomCommand> LaneBed::Translated() {
  Require(edge_->Admit(), "the edge has too many commands under way");
  auto translated = Translate(Post(), edge_, start_, absl::Hours(10));
  Require(translated.ok(), "the command was refused");
  return *std::move(translated);
}

void LaneBed::Commit() {
  const absl::Time now = absl::Now();
  for (auto& job : std::exchange(commits_, {})) {
    AppendOutcome& outcome = job->outcome;
    outcome.kind = AppendOutcome::Kind::kStored;
    outcome.first_seq = ++last_seq_;
    outcome.message_id = job->append.events[0].message_id;
    outcome.created_at = now;
    outcome.member_seq = job->append.expected_member_seq;
    room_.OnCommitted(std::unique_ptr<RoomCommand>(static_cast<RoomCommand*>(job.release())));
  }
}

void LaneBed::Flush() {
  outbox_.Flush();
  results_.Flush();
}

}  // namespace confab::control
