// Presence through the dispatcher: who is told of whom, with a short clock.
#include <algorithm>

#include <absl/time/clock.h>
#include <gmock/gmock.h>

#include "control/dispatch/presence_calls.h"
#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::RoomId;
using storage::UserId;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class PresenceTest : public ControlBench {
 protected:
  PresenceTest() {
    options_.lanes = 2;
    options_.readers = 2;
    options_.presence.debounce = absl::Milliseconds(500);
    options_.presence_settle = absl::ZeroDuration();
    Restart();
  }
  void Restart() {
    dispatcher_.reset();
    store_.reset();
    Open(options_);
  }

  static OpenedConnection Opened(uint64_t connection, const std::string& user,
                                 const std::string& device = "") {
    OpenedConnection opened;
    opened.connection = connection;
    opened.user = UserId(user);
    opened.device_id = device;
    return opened;
  }
  static ClosedConnection Closed(uint64_t connection, const std::string& user) {
    ClosedConnection closed;
    closed.connection = connection;
    closed.user = UserId(user);
    return closed;
  }
  static EdgeCommand Status(uint64_t connection, const std::string& user, uint64_t request,
                            v1::PresenceStatus status, const std::string& text) {
    EdgeCommand input = TestEdge::Ask(connection, user, request);
    input.command.mutable_set_status()->set_status(status);
    input.command.mutable_set_status()->set_text(text);
    return input;
  }
  // Waits until `user` is told that, alone or with others of the same lane.
  static bool AwaitTold(TestEdge& edge, const std::string& user, const std::string& what) {
    for (int i = 0; i < 200; ++i) {
      for (const std::string& line : edge.stream().lines()) {
        if (line.starts_with("signal ") && line.ends_with(" " + what) &&
            line.find("user:" + user) != std::string::npos) {
          return true;
        }
      }
      absl::SleepFor(absl::Milliseconds(20));
    }
    return false;
  }
  static Lines OfPresence(TestEdge& edge) {
    Lines lines;
    for (const std::string& line : edge.stream().lines()) {
      if (line.find("presence") != std::string::npos) lines.push_back(line);
    }
    return lines;
  }
  UserLook Look(const std::string& user) {
    Awaited<std::vector<UserLook>> looks;
    PresenceCalls(*dispatcher_).Get({UserId(user)}, looks.callback());
    const auto answer = looks.Get();
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->at(0) : UserLook();
  }

  DispatcherOptions options_;
};

TEST_F(PresenceTest, TellsUsersWhoShareARoomOnceHoweverManyTheyShare) {
  MakeRoom("a", {"ann", "bob"});
  MakeRoom("b", {"ann", "bob"});
  MakeRoom("c", {"eve"});
  TestEdge one(*dispatcher_, "e1");
  TestEdge two(*dispatcher_, "e2");
  one.Send(Opened(1, "ann"));
  ASSERT_TRUE(one.stream().AwaitLine("direct 1 snapshot"));

  two.Send(Opened(1, "bob"), Opened(2, "eve"));

  ASSERT_TRUE(one.stream().AwaitLine("signal user:ann presence bob online"));
  ASSERT_TRUE(two.stream().AwaitLine("direct 1 snapshot ann"));
  ASSERT_TRUE(two.stream().AwaitLine("direct 2 snapshot")) << "eve shares no room";
  two.Send(Closed(1, "bob"));
  ASSERT_TRUE(one.stream().AwaitLine("signal user:ann presence bob offline"));
  EXPECT_THAT(OfPresence(one), ElementsAre("signal user:ann presence bob online",
                                           "signal user:ann presence bob offline"));
  EXPECT_THAT(OfPresence(two), Not(Contains(StartsWith("signal user:eve"))));
}

TEST_F(PresenceTest, GivesAConnectionThatJoinsManyRoomsOneSnapshotARound) {
  constexpr int kRooms = 20;
  for (int i = 0; i < kRooms; ++i) MakeRoom("r" + std::to_string(i), {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(2, "bob"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 2 snapshot"));
  edge.Send(Opened(1, "ann"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 1 snapshot bob"));
  const size_t before = edge.stream().size();

  for (uint64_t i = 0; i < kRooms; ++i) {
    edge.Send(TestEdge::Join(1, "ann", 100 + i, "r" + std::to_string(i)));
  }
  // What ann was to be told comes before the news of who comes later.
  edge.Send(Opened(3, "bob"), Opened(4, "ann"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 4 snapshot bob"));

  const Lines lines = edge.stream().LinesFrom(before);
  const auto snapshots = std::count(lines.begin(), lines.end(), "direct 1 snapshot bob");
  EXPECT_GE(snapshots, 1);
  EXPECT_LT(snapshots, kRooms / 2);
}

TEST_F(PresenceTest, GivesSnapshotsWhenTheEdgesStreamHasRoom) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  TestEdge other(*dispatcher_, "e2");
  other.Send(Opened(1, "bob"));
  ASSERT_TRUE(other.stream().AwaitLine("direct 1 snapshot"));
  edge.stream().SetQueuedBytes(9 * 1024 * 1024);

  edge.Send(Opened(1, "ann"));
  other.Send(Opened(2, "eve"));  // Of a later round, and told.
  ASSERT_TRUE(other.stream().AwaitLine("direct 2 snapshot"));

  EXPECT_THAT(edge.stream().lines(), Not(Contains(StartsWith("direct"))));
  edge.stream().SetQueuedBytes(0);
  EXPECT_TRUE(edge.stream().AwaitLine("direct 1 snapshot bob"));
}

TEST_F(PresenceTest, OfConnectionsThatComeWhileControlStopsNothingIsKept) {
  TestEdge edge(*dispatcher_, "e1");
  dispatcher_->Stop();

  edge.Send(Opened(1, "ann"), Closed(2, "bob"), Opened(3, "eve"));

  EXPECT_THAT(edge.stream().lines(), Not(Contains(StartsWith("direct"))));
}

TEST_F(PresenceTest, TellsTheOthersWhenAMemberIsRemoved) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(2, "bob"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 2 snapshot"));
  edge.Send(Opened(1, "ann"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 1 snapshot bob"));
  const size_t before = edge.stream().size();
  const auto told = [&](const std::string& line) {
    for (int i = 0; i < 200; ++i) {
      const Lines lines = edge.stream().LinesFrom(before);
      if (std::find(lines.begin(), lines.end(), line) != lines.end()) return true;
      absl::SleepFor(absl::Milliseconds(20));
    }
    return false;
  };

  ASSERT_TRUE(Remove("a", {"bob"}).ok());

  EXPECT_TRUE(told("direct 1 snapshot")) << "no room is shared with bob any more";
  EXPECT_TRUE(told("direct 2 snapshot"));
}

TEST_F(PresenceTest, MakesNoNewsOfAReload) {
  MakeRoom("a", {"ann", "bob", "eve"});
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(1, "ann"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 1 snapshot"));
  edge.Send(Opened(2, "bob"));
  ASSERT_TRUE(edge.stream().AwaitLine("signal user:ann presence bob online"));

  edge.Send(Closed(2, "bob"), Opened(3, "bob"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 3 snapshot ann"));
  edge.Send(Opened(4, "eve"));
  ASSERT_TRUE(AwaitTold(edge, "ann", "presence eve online"));
  edge.Send(Closed(4, "eve"));  // Is seen to go, long after bob would have been.
  ASSERT_TRUE(AwaitTold(edge, "ann", "presence eve offline"));

  EXPECT_THAT(OfPresence(edge), Not(Contains("signal user:ann presence bob offline")));
}

TEST_F(PresenceTest, TellsAStatusAndShowsItInSnapshots) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(2, "bob"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 2 snapshot"));
  edge.Send(Opened(1, "ann"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 1 snapshot bob"));

  EXPECT_EQ(WordOf(edge.Do(Status(2, "bob", 5, v1::PRESENCE_STATUS_DND, "in a talk"))), "ok");
  EXPECT_EQ(WordOf(edge.Do(Status(2, "bob", 6, v1::PRESENCE_STATUS_DND, std::string(129, 'x')))),
            "BAD_REQUEST");
  ASSERT_TRUE(AwaitTold(edge, "ann", "presence bob dnd"));
  edge.Send(Opened(3, "ann"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 3 presence bob dnd"));

  const UserLook bob = Look("bob");
  EXPECT_EQ(bob.view.status, UserStatus::kDnd);
  EXPECT_EQ(bob.view.text, "in a talk");
}

TEST_F(PresenceTest, BringsWhoJoinsARoomAndItsMembersTogether) {
  MakeRoom("a", {"ann"});
  MakeRoom("b", {"bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(1, "ann"), Opened(2, "bob"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 1 snapshot"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 2 snapshot"));

  ASSERT_TRUE(Add("a", {"bob"}).ok());

  ASSERT_TRUE(edge.stream().AwaitLine("signal user:ann presence bob online"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 2 snapshot ann"));
}

TEST_F(PresenceTest, GivesASnapshotToAConnectionThatJoins) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(2, "bob"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 2 snapshot"));
  edge.Send(Opened(1, "ann"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 1 snapshot bob"));
  const size_t before = edge.stream().size();

  edge.DoJoin(1, "ann", "a");

  const auto has_snapshot = [&] {
    const Lines lines = edge.stream().LinesFrom(before);
    return std::find(lines.begin(), lines.end(), "direct 1 snapshot bob") != lines.end();
  };
  for (int i = 0; i < 200 && !has_snapshot(); ++i) absl::SleepFor(absl::Milliseconds(20));
  EXPECT_TRUE(has_snapshot());
}

TEST_F(PresenceTest, TellsNothingInALargeRoomButAnswersWhoIsThere) {
  Users many = {"ann", "bob"};
  for (int i = 0; i < 200; ++i) many.push_back("u" + std::to_string(i));
  MakeRoom("a", many);
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(1, "ann"), Opened(2, "bob"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 1 snapshot"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 2 snapshot"));

  EdgeCommand ask = TestEdge::Ask(1, "ann", 9);
  ask.command.mutable_get_presence()->set_room_id("a");
  const v1::Result result = edge.Do(std::move(ask));
  EdgeCommand stranger = TestEdge::Ask(3, "eve", 10);
  stranger.command.mutable_get_presence()->set_room_id("a");

  ASSERT_TRUE(result.has_presence()) << result.ShortDebugString();
  EXPECT_EQ(result.presence().online_count(), 2);
  EXPECT_EQ(result.presence().member_count(), 202);
  EXPECT_THAT(result.presence().user_ids(), ElementsAre("ann", "bob"));
  EXPECT_EQ(WordOf(edge.Do(std::move(stranger))), "NOT_A_MEMBER");
  EXPECT_THAT(OfPresence(edge), IsEmpty());
}

TEST_F(PresenceTest, CountsOnlyMembersThatWereBanned) {
  MakeRoom("a", {"ann", "bob"});
  ASSERT_TRUE(Add("a", {"mod"}, storage::Role::kModerator).ok());
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(1, "ann"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 1 snapshot"));
  const auto ban = [&](const std::string& user, uint64_t request) {
    EdgeCommand command = TestEdge::Ask(2, "mod", request);
    command.command.mutable_change_member()->set_room_id("a");
    command.command.mutable_change_member()->set_user_id(user);
    command.command.mutable_change_member()->mutable_ban();
    return WordOf(edge.Do(std::move(command)));
  };

  EXPECT_EQ(ban("eve", 7), "ok") << "who was never one";
  EXPECT_EQ(ban("bob", 8), "ok");

  EdgeCommand ask = TestEdge::Ask(1, "ann", 9);
  ask.command.mutable_get_presence()->set_room_id("a");
  EXPECT_EQ(edge.Do(std::move(ask)).presence().member_count(), 2) << "ann and the moderator";
}

TEST_F(PresenceTest, IsSilentAfterTheStartThenTellsEverybodyOnce) {
  options_.presence_settle = absl::Seconds(2);
  Restart();
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");

  edge.Send(Opened(1, "ann"), Opened(2, "bob"));

  ASSERT_TRUE(edge.stream().AwaitLine("direct 1 snapshot bob"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 2 snapshot ann"));
  EXPECT_THAT(edge.stream().lines(),
              testing::UnorderedElementsAre("direct 1 snapshot bob", "direct 2 snapshot ann"));
}

TEST_F(PresenceTest, EndsWithTheLeaseAndDropsTheStream) {
  options_.presence.lease = absl::Seconds(2);
  Restart();
  MakeRoom("a", {"ann", "bob"});
  TestEdge one(*dispatcher_, "e1");
  TestEdge two(*dispatcher_, "e2");
  one.Send(Opened(1, "ann"));
  ASSERT_TRUE(one.stream().AwaitLine("direct 1 snapshot"));
  two.Send(Opened(1, "bob"));
  ASSERT_TRUE(two.stream().AwaitLine("direct 1 snapshot ann"));
  two.Detach();

  for (int i = 0; i < 100 && Look("bob").view.is_online; ++i) {
    one.attachment()->Hear();
    absl::SleepFor(absl::Milliseconds(50));
  }

  EXPECT_FALSE(Look("bob").view.is_online);
  EXPECT_TRUE(Look("ann").view.is_online);
  EXPECT_TRUE(one.stream().AwaitLine("signal user:ann presence bob offline"));
}

TEST_F(PresenceTest, ForgetsARoomThatIsDeleted) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(2, "bob"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 2 snapshot"));
  edge.Send(Opened(1, "ann"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 1 snapshot bob"));

  ASSERT_TRUE(DeleteRoom("a").ok());
  ASSERT_TRUE(edge.stream().AwaitLine("direct 1 snapshot"));
  edge.Send(Closed(2, "bob"));

  for (int i = 0; i < 100 && Look("bob").view.is_online; ++i) {
    absl::SleepFor(absl::Milliseconds(50));
  }
  EXPECT_THAT(OfPresence(edge), Not(Contains("signal user:ann presence bob offline")));
}

TEST_F(PresenceTest, KicksOneConnectionOrAll) {
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(7, "ann"), Opened(8, "ann"), Opened(9, "bob"));
  PresenceCalls calls(*dispatcher_);

  Awaited<size_t> one;
  calls.Kick(UserId("ann"), std::pair<std::string, uint64_t>("e1", 8), {}, Soon(), one.callback());
  EXPECT_EQ(*one.Get(), 1u);
  ASSERT_TRUE(edge.stream().AwaitLine("close 8"));
  Awaited<size_t> all;
  calls.Kick(UserId("ann"), std::nullopt, {}, Soon(), all.callback());

  EXPECT_EQ(*all.Get(), 2u);
  EXPECT_THAT(edge.stream().lines(), Not(Contains("close 9")));
}

TEST_F(PresenceTest, KicksNobodyBeforeThatIsRecorded) {
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(7, "ann"));
  const auto kick = [this] {
    Awaited<size_t> kicked;
    PresenceCalls(*dispatcher_)
        .Kick(UserId("ann"), std::nullopt, {{}, "ops", "r1"}, Soon(), kicked.callback());
    return kicked.Get();
  };
  store_->Fail(storage::StoreCall::kWriteAudit, absl::InvalidArgumentError("broken"));

  EXPECT_FALSE(kick().ok());
  Look("ann");  // Her lane's turn has ended.
  EXPECT_THAT(edge.stream().lines(), Not(Contains("close 7")));
  const auto kicked = kick();

  ASSERT_TRUE(kicked.ok()) << kicked.status();
  EXPECT_EQ(*kicked, 1u);
  ASSERT_TRUE(edge.stream().AwaitLine("close 7"));
  const auto acts = store_->ListAudit({});
  ASSERT_TRUE(acts.ok());
  ASSERT_EQ(acts->size(), 1u);
  EXPECT_EQ(acts->front().note.act, "connection.kick");
  EXPECT_EQ(acts->front().note.service, "ops");
  EXPECT_EQ(acts->front().note.request_id, "r1");
  EXPECT_EQ(acts->front().subject, UserId("ann"));
  EXPECT_EQ(acts->front().result, "OK");
}

TEST_F(PresenceTest, ListsConnectionsByUserPageByPage) {
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(1, "ann", "phone"), Opened(2, "bob"), Opened(3, "cat"), Opened(4, "ann"));
  PresenceCalls calls(*dispatcher_);

  Awaited<ConnectionsPage> first;
  calls.ListConnections(UserId(), UserId(), 2, first.callback());
  const auto page = first.Get();
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->users.size(), 2u);
  EXPECT_EQ(page->users[0].connections.size(), 2u);
  EXPECT_EQ(page->users[0].connections[0].device_id, "phone");
  EXPECT_EQ(page->users[1].view.user, UserId("bob"));
  EXPECT_TRUE(page->has_more);
  Awaited<ConnectionsPage> second;
  calls.ListConnections(UserId(), UserId("bob"), 2, second.callback());

  ASSERT_EQ(second.Get()->users.size(), 1u);
}

// Keeps what it is offered, as "ann+" and "ann-".
class RecordingSink final : public PresenceSink {
 public:
  void Offer(const SharedView& view) override {
    const std::lock_guard lock(mu_);
    offered_.push_back(view->user.value + (view->is_online ? "+" : "-"));
  }
  void End(absl::Status why) override {
    const std::lock_guard lock(mu_);
    offered_.push_back("end " + std::string(absl::StatusCodeToString(why.code())));
  }
  bool is_gone() const override { return false; }
  bool Await(const std::string& what) const {
    for (int i = 0; i < 200; ++i) {
      {
        const std::lock_guard lock(mu_);
        if (std::find(offered_.begin(), offered_.end(), what) != offered_.end()) return true;
      }
      absl::SleepFor(absl::Milliseconds(50));
    }
    return false;
  }
  std::vector<std::string> offered() const {
    const std::lock_guard lock(mu_);
    return offered_;
  }

 private:
  mutable std::mutex mu_;
  std::vector<std::string> offered_;
};

TEST_F(PresenceTest, OffersWatchersWhoIsThereThenEachChange) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(1, "ann"));
  ASSERT_TRUE(edge.stream().AwaitLine("direct 1 snapshot"));
  auto everybody = std::make_shared<RecordingSink>();
  auto room = std::make_shared<RecordingSink>();
  auto users = std::make_shared<RecordingSink>();
  PresenceCalls calls(*dispatcher_);
  for (const auto& [target, sink] :
       std::vector<std::pair<PresenceCalls::Target, std::shared_ptr<RecordingSink>>>{
           {{}, everybody}, {{{}, RoomId("a")}, room}, {{{UserId("bob")}, {}}, users}}) {
    Awaited<bool> watched;
    calls.Watch(target, sink, watched.callback());
    ASSERT_TRUE(watched.Get().ok());
  }

  edge.Send(Opened(2, "bob"), Opened(3, "eve"));
  ASSERT_TRUE(everybody->Await("eve+"));
  ASSERT_TRUE(everybody->Await("bob+"));
  edge.Send(Closed(2, "bob"));

  for (const auto& sink : {everybody, room, users}) EXPECT_TRUE(sink->Await("bob-"));
  EXPECT_THAT(room->offered(), ElementsAre("ann+", "bob+", "bob-"));
  EXPECT_THAT(users->offered(), ElementsAre("bob+", "bob-"));
  Awaited<bool> nowhere;
  calls.Watch({{}, RoomId("none")}, room, nowhere.callback());
  EXPECT_EQ(ReasonOf(nowhere.Get().status()), v1::REASON_ROOM_NOT_FOUND);
  dispatcher_->Stop();
  for (const auto& sink : {everybody, room, users}) EXPECT_TRUE(sink->Await("end UNAVAILABLE"));
}

}  // namespace
}  // namespace confab::control
