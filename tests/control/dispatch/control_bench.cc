#include "tests/control/dispatch/control_bench.h"

#include "proto/reason.h"

namespace confab::control {

using storage::EventKind;
using storage::Role;
using storage::RoomId;
using storage::UserId;

std::string WordOf(const v1::Result& result) {
  if (!result.has_error()) return "ok";
  if (result.error().reason() == v1::REASON_UNSPECIFIED) return result.error().message();
  return std::string(TraitsOf(result.error().reason()).word);
}

TestEdge::TestEdge(Dispatcher& dispatcher, std::string id, uint64_t epoch,
                   std::vector<EdgeAnnouncement::Room> rooms)
    : dispatcher_(dispatcher), stream_(std::make_shared<RecordingEdgeStream>()) {
  EdgeAnnouncement hello;
  hello.edge_id = std::move(id);
  hello.epoch = epoch;
  hello.rooms = std::move(rooms);
  auto attached = dispatcher_.Attach(std::move(hello), stream_);
  EXPECT_TRUE(attached.ok()) << attached.status();
  if (attached.ok()) attachment_ = *std::move(attached);
}

void TestEdge::Detach() {
  if (attachment_ != nullptr) dispatcher_.Detach(std::exchange(attachment_, nullptr));
}

EdgeCommand TestEdge::Ask(uint64_t connection, const std::string& user, uint64_t request) {
  EdgeCommand input;
  auto actor = std::make_shared<storage::Actor>();
  actor->id = UserId(user);
  actor->name = user + "!";
  input.actor = std::move(actor);
  input.command.set_connection(connection);
  input.command.set_request(request);
  return input;
}

EdgeCommand TestEdge::Join(uint64_t connection, const std::string& user, uint64_t request,
                           const std::string& room, int64_t after_seq) {
  EdgeCommand input = Ask(connection, user, request);
  input.command.mutable_join_room()->set_room_id(room);
  if (after_seq >= 0) input.command.mutable_join_room()->set_after_seq(after_seq);
  return input;
}

EdgeCommand TestEdge::Leave(uint64_t connection, const std::string& user, uint64_t request,
                            const std::string& room) {
  EdgeCommand input = Ask(connection, user, request);
  input.command.mutable_leave_room()->set_room_id(room);
  return input;
}

EdgeCommand TestEdge::Post(uint64_t connection, const std::string& user, uint64_t request,
                           const std::string& room, const std::string& content,
                           const std::string& client_msg_id) {
  EdgeCommand input = Ask(connection, user, request);
  input.command.mutable_post_message()->set_room_id(room);
  input.command.mutable_post_message()->set_content(content);
  input.command.mutable_post_message()->set_client_msg_id(client_msg_id);
  return input;
}

EdgeCommand TestEdge::History(uint64_t connection, const std::string& user, uint64_t request,
                              const std::string& room) {
  EdgeCommand input = Ask(connection, user, request);
  input.command.mutable_get_history()->set_room_id(room);
  return input;
}

EdgeCommand TestEdge::Replay(uint64_t connection, const std::string& user, uint64_t request,
                             const std::string& room, int64_t after_seq) {
  EdgeCommand input = Ask(connection, user, request);
  input.command.mutable_replay_page()->set_room_id(room);
  input.command.mutable_replay_page()->set_after_seq(after_seq);
  return input;
}

void TestEdge::Release(const std::string& room, uint64_t subscribes_seen) {
  v1::TopicReleased released;
  released.set_topic("room:" + room);
  released.set_subscribes_seen(subscribes_seen);
  Send(std::move(released));
}

v1::Result TestEdge::Do(EdgeCommand input) {
  const uint64_t request = input.command.request();
  Send(std::move(input));
  return stream_->AwaitResult(request);
}

v1::Result TestEdge::PostUntilTaken(uint64_t connection, const std::string& user,
                                    const std::string& room, const std::string& content,
                                    const std::string& client_msg_id) {
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (true) {
    v1::Result result = DoPost(connection, user, room, content, client_msg_id);
    if (WordOf(result) != "UNAVAILABLE" || std::chrono::steady_clock::now() > end) return result;
  }
}

// --- ControlBench

void ControlBench::Open(absl::Duration command_deadline) {
  DispatcherOptions options;
  options.lanes = 2;
  options.readers = 2;
  options.command_deadline = command_deadline;
  options.retention_round = absl::Milliseconds(10);
  options.away_after = absl::Minutes(1);  // What is slow here is the machine.
  Open(options);
}

void ControlBench::Open(const DispatcherOptions& options) {
  store_ =
      std::make_unique<storage::FailingStore>(std::make_unique<storage::MemoryStore>(database_));
  ASSERT_TRUE(*store_->TryBecomeActive());
  dispatcher_ =
      std::make_unique<Dispatcher>(options, metrics_, [this](const absl::Status&) { ++fatals_; });
  dispatcher_->Start(*store_);
}

void ControlBench::Restart(absl::Duration command_deadline) {
  dispatcher_.reset();
  store_.reset();
  Open(command_deadline);
}

void ControlBench::MakeRoom(const std::string& room, const Users& members, bool is_public) {
  storage::NewRoom made;
  made.id = RoomId(room);
  made.is_public = is_public;
  for (const std::string& user : members) made.members.emplace_back(UserId(user), Role::kMember);
  Awaited<storage::RoomRecord> answer;
  dispatcher_->CreateRoom(std::move(made), Soon(), answer.callback());
  const auto record = answer.Get();
  EXPECT_TRUE(record.ok()) << record.status();
}

absl::Status ControlBench::DeleteRoom(const std::string& room) {
  Awaited<RoomDeleted> answer;
  dispatcher_->DeleteRoom(RoomId(room), {}, Soon(), answer.callback());
  return answer.Get().status();
}

absl::StatusOr<MembersChanged> ControlBench::Add(const std::string& room, const Users& users,
                                                 Role role) {
  std::vector<std::pair<UserId, Role>> members;
  for (const std::string& user : users) members.emplace_back(UserId(user), role);
  Awaited<MembersChanged> answer;
  dispatcher_->AddMembers(RoomId(room), {}, std::move(members), Soon(), answer.callback());
  return answer.Get();
}

absl::StatusOr<MembersChanged> ControlBench::Remove(const std::string& room, const Users& users) {
  std::vector<UserId> ids;
  for (const std::string& user : users) ids.emplace_back(user);
  Awaited<MembersChanged> answer;
  dispatcher_->RemoveMembers(RoomId(room), {}, std::move(ids), Soon(), answer.callback());
  return answer.Get();
}

absl::StatusOr<PostedMessage> ControlBench::PostAsSystem(const std::string& room,
                                                         const std::string& content,
                                                         const std::string& key) {
  ServicePost post;
  post.room = RoomId(room);
  post.service = "test";
  post.content = content;
  post.idempotency_key = key;
  Awaited<PostedMessage> answer;
  dispatcher_->PostAsService(std::move(post), Soon(), answer.callback());
  return answer.Get();
}

absl::StatusOr<storage::EventPage> ControlBench::List(const std::string& room, int64_t after_seq,
                                                      int64_t before_seq, int32_t limit) {
  storage::EventQuery query;
  query.room = RoomId(room);
  query.after_seq = after_seq;
  query.before_seq = before_seq;
  query.limit = limit;
  Awaited<storage::EventPage> answer;
  dispatcher_->ListEvents(std::move(query), Soon(), answer.callback());
  return answer.Get();
}

void ControlBench::WriteDirectly(const std::string& room, const std::string& user, EventKind kind,
                                 Role role) {
  auto writer = store_->OpenWriter();
  ASSERT_TRUE(writer.ok());
  storage::AppendRequest request;
  request.room = RoomId(room);
  storage::NewEvent& event = request.events.emplace_back();
  event.kind = kind;
  event.dedup = {storage::DedupKey::Space::kService, "direct/" + std::to_string(++direct_writes_)};
  event.subject = UserId(user);
  event.role = role;
  // Others may write meanwhile.
  for (int i = 0; i < 100; ++i) {
    const auto snapshot = store_->ReadRoom(request.room, {UserId(user)});
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    if (snapshot->members[0].role == role) return;  // Nothing to change.
    request.expected_member_seq = snapshot->room.member_seq;
    const auto outcomes = (*writer)->Append(absl::MakeConstSpan(&request, 1));
    ASSERT_TRUE(outcomes.ok()) << outcomes.status();
    if ((*outcomes)[0].kind == storage::AppendOutcome::Kind::kStored) return;
  }
  FAIL() << "the member list never kept still";
}

void ControlBench::RemoveDirectly(const std::string& room, const std::string& user) {
  WriteDirectly(room, user, EventKind::kMemberRemoved, Role::kNone);
}

void ControlBench::AddDirectly(const std::string& room, const std::string& user) {
  WriteDirectly(room, user, EventKind::kMemberAdded, Role::kMember);
}

}  // namespace confab::control
