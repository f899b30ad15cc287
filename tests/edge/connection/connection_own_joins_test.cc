// What a connection joins by itself: rooms that its client resumes, and those of its dialect.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/connection/connection_fixture.h"

namespace confab::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

v1::Resume Rooms(std::initializer_list<std::pair<const char*, std::int64_t>> rooms) {
  v1::Resume resume;
  for (const auto& [room, seq] : rooms) (*resume.mutable_rooms())[room] = seq;
  return resume;
}

v1::Command Resume(std::initializer_list<std::pair<const char*, std::int64_t>> rooms) {
  v1::Command command;
  *command.mutable_resume() = Rooms(rooms);
  return command;
}

class ConnectionOwnJoins : public ConnectionTest {
 protected:
  // Those that were asked since the last call: "ROOM behind SEQ", "ROOM", "list".
  std::vector<std::string> Joins() {
    std::vector<std::string> joins;
    for (; seen_ < host_.forwarded.size(); ++seen_) {
      const v1::Command& command = host_.forwarded[seen_].first;
      if (command.has_list_rooms()) joins.emplace_back("list");
      if (!command.has_join_room()) continue;
      const v1::JoinRoom& join = command.join_room();
      joins.push_back(join.room_id());
      if (join.has_after_seq()) joins.back() += fmt::format(" behind {}", join.after_seq());
    }
    return joins;
  }

  // Control's answer to the join that the connection asked by itself.
  void Answer(const std::string& room, std::int64_t after_seq, const v1::Result& result) {
    v1::Command join = Join(room, after_seq);
    join.set_is_automatic(true);
    connection_->OnResult(join, std::nullopt, result);
  }

  void Subscribed(const std::string& room, std::int64_t after_seq, std::int64_t last_seq) {
    EXPECT_EQ(connection_->OnSubscribed(room, last_seq, true), after_seq);
    host_.position = last_seq;
    Answer(room, after_seq, Joined(last_seq));
  }

  std::size_t seen_ = 0;
};

TEST_F(ConnectionOwnJoins, ResumesRoomsAndTellsOfAllWhenTheLastIsDecided) {
  wire_.knows_resync = true;
  connection_->Ask(Resume({{"a", 4}, {"b", 9}, {"c", 0}}), 5);
  EXPECT_THAT(Joins(), ElementsAre("a behind 4", "b behind 9", "c behind 0"));
  for (const auto& [command, reply_id] : host_.forwarded) {
    EXPECT_TRUE(command.is_automatic());
    EXPECT_EQ(command.connection(), 513u);
  }

  Subscribed("a", 4, 7);
  Answer("b", 9, Refused(v1::REASON_RESYNC));
  EXPECT_THAT(wire_.said, ElementsAre("result 0")) << "of a, as of any join";
  EXPECT_EQ(CountPages(), 1u) << "no room waits for the others";
  Answer("c", 0, Refused(v1::REASON_NOT_A_MEMBER));

  EXPECT_THAT(wire_.said, ElementsAre("result 0", "result 5"));
  ASSERT_EQ(wire_.last_result.resume().rooms_size(), 3);
  EXPECT_EQ(wire_.last_result.resume().rooms(0).joined().last_seq(), 7);
  EXPECT_EQ(wire_.last_result.resume().rooms(1).error().reason(), v1::REASON_RESYNC);
  EXPECT_EQ(wire_.last_result.resume().rooms(2).error().reason(), v1::REASON_NOT_A_MEMBER);
}

TEST_F(ConnectionOwnJoins, TellsAtOnceWhatBecameOfARoomWhereNobodyWaitsForAnAnswer) {
  wire_.knows_resync = true;
  connection_->Ask(Resume({{"a", 4}, {"b", 9}}), std::nullopt);

  Answer("a", 4, Refused(v1::REASON_RESYNC));
  Answer("b", 9, Refused(v1::REASON_NOT_A_MEMBER));

  EXPECT_THAT(wire_.said, ElementsAre("resync a", "refusal 0 NOT_A_MEMBER", "result 0"));
  EXPECT_EQ(wire_.last_error.message(), "room b is not resumed: no");
}

TEST_F(ConnectionOwnJoins, ClosesNobodyForARoomThatIsNotResumed) {
  connection_->Ask(Resume({{"a", 4}}), std::nullopt);

  Answer("a", 4, Refused(v1::REASON_RESYNC));

  EXPECT_THAT(wire_.said, ElementsAre("refusal 0 RESYNC", "result 0"))
      << "it would come back with the same position";
  EXPECT_EQ(wire_.shut, std::nullopt);
}

TEST_F(ConnectionOwnJoins, ClosesNobodyForALogThatIsGone) {
  connection_->Ask(Resume({{"r", 4}}), std::nullopt);
  Subscribed("r", 4, 9);
  wire_.said.clear();

  AnswerPage(4, Page(7, 9, false));

  EXPECT_THAT(wire_.said, ElementsAre("refusal 0 RESYNC"));
  EXPECT_THAT(host_.unsubscribed, ElementsAre("r"));
  EXPECT_EQ(wire_.shut, std::nullopt);
}

TEST_F(ConnectionOwnJoins, TriesAgainWhatIsRefusedForNowAndSaysNothingOfIt) {
  connection_->Ask(Resume({{"a", 4}}), 5);
  Joins();

  v1::Result busy;
  *busy.mutable_error() = MakeError(v1::REASON_UNAVAILABLE, "busy", 3'600'000);
  Answer("a", 4, busy);
  connection_->OnTick();
  EXPECT_THAT(Joins(), IsEmpty()) << "before the time that control has told";
  EXPECT_GT(host_.longest_wait, std::chrono::minutes(59));
  EXPECT_THAT(wire_.said, IsEmpty());
}

TEST_F(ConnectionOwnJoins, TriesAgainAtTheNextTickWhatGotNoAnswer) {
  connection_->Ask(Resume({{"a", 4}}), 5);
  Joins();

  v1::Command join = Join("a", 4);
  join.set_is_automatic(true);
  connection_->OnExpired(join, std::nullopt, MakeError(v1::REASON_UNAVAILABLE, ""));
  connection_->Replay();
  EXPECT_THAT(Joins(), IsEmpty());
  connection_->OnTick();

  EXPECT_THAT(Joins(), ElementsAre("a behind 4"));
  Subscribed("a", 4, 4);
  EXPECT_THAT(wire_.said, ElementsAre("result 0", "result 5"));
}

TEST_F(ConnectionOwnJoins, AsksWhenItsTurnComes) {
  host_.is_full = true;
  connection_->Ask(Resume({{"a", 4}, {"b", 5}}), 5);
  EXPECT_THAT(Joins(), IsEmpty());
  EXPECT_TRUE(host_.waits_for_turn);
  EXPECT_FALSE(connection_->IsJoining("a"));

  host_.is_full = false;
  connection_->Replay();

  EXPECT_THAT(Joins(), ElementsAre("a behind 4", "b behind 5"));
}

TEST_F(ConnectionOwnJoins, RefusesASecondResumeWhileOneIsUnderWay) {
  connection_->Ask(Resume({{"a", 4}}), 5);
  Joins();

  connection_->Ask(Resume({{"b", 4}}), 6);

  EXPECT_THAT(wire_.said, ElementsAre("refusal 6 BAD_REQUEST"));
  EXPECT_THAT(Joins(), IsEmpty());
  Subscribed("a", 4, 4);
  connection_->Ask(Resume({{"b", 4}}), 7);
  EXPECT_THAT(Joins(), ElementsAre("b behind 4"));
}

TEST_F(ConnectionOwnJoins, RefusesMoreRoomsThanItMayBeInAsAWhole) {
  host_.connection_limits.rooms = 2;
  connection_->Ask(Resume({{"a", 4}, {"b", 4}, {"c", 4}}), 5);

  EXPECT_THAT(wire_.said, ElementsAre("refusal 5 LIMIT_REACHED"));
  EXPECT_THAT(Joins(), IsEmpty());

  connection_->subscriptions.resize(1);  // Of a.
  host_.position = 7;
  host_.not_in = {"b", "c"};
  connection_->Ask(Resume({{"b", 4}, {"c", 4}}), 6);
  EXPECT_THAT(wire_.said, ElementsAre("refusal 5 LIMIT_REACHED", "refusal 6 LIMIT_REACHED"));
  connection_->Ask(Resume({{"a", 4}, {"b", 4}}), 7);
  EXPECT_THAT(Joins(), ElementsAre("a behind 4", "b behind 4")) << "it is in a already";
  connection_->subscriptions.clear();
}

TEST_F(ConnectionOwnJoins, CountsAsOneFrameAndOneJoin) {
  host_.connection_limits.joins = {.per_period = 1, .burst = 2};
  connection_->Ask(Resume({{"a", 4}, {"b", 4}, {"c", 4}}), 5);
  connection_->Ask(Join("d"), 6);
  connection_->Ask(Join("e"), 7);

  EXPECT_THAT(Joins(), ElementsAre("a behind 4", "b behind 4", "c behind 4", "d"));
  EXPECT_THAT(wire_.said, ElementsAre("refusal 7 RATE_LIMITED"));
}

TEST_F(ConnectionOwnJoins, AnswersAResumeOfNothingAtOnce) {
  connection_->Ask(Resume({}), 5);

  EXPECT_THAT(wire_.said, ElementsAre("result 5"));
}

TEST_F(ConnectionOwnJoins, GivesWhoJoinsARoomThatIsBeingResumedWhatHeMissed) {
  connection_->Ask(Resume({{"a", 4}}), 5);
  connection_->Ask(Join("a"), 6);
  connection_->Ask(Join("a", 2), 7);
  connection_->Ask(Join("b"), 8);

  EXPECT_THAT(Joins(), ElementsAre("a behind 4", "a behind 4", "a behind 2", "b"));
}

TEST_F(ConnectionOwnJoins, JoinsNoRoomThatTheClientLeavesMeanwhile) {
  host_.is_full = true;
  connection_->Ask(Resume({{"a", 4}, {"b", 5}}), 5);
  v1::Command leave;
  leave.mutable_leave_room()->set_room_id("a");
  host_.is_full = false;
  connection_->Ask(std::move(leave), 6);
  connection_->Replay();

  EXPECT_THAT(Joins(), ElementsAre("b behind 5"));
  Subscribed("b", 5, 5);
  EXPECT_EQ(wire_.last_result.resume().rooms(0).error().reason(), v1::REASON_BAD_REQUEST);
}

TEST_F(ConnectionOwnJoins, AnswersAResumeBeforeTheEdgeIsEmptied) {
  connection_->Ask(Resume({{"a", 4}, {"b", 5}}), 5);

  EXPECT_TRUE(connection_->EndCommands()) << "nothing is under way";

  EXPECT_THAT(wire_.said, ElementsAre("result 5"));
  EXPECT_EQ(wire_.last_result.resume().rooms_size(), 2);
  Answer("a", 4, Joined(4));
  EXPECT_THAT(Joins(), SizeIs(2));
}

TEST_F(ConnectionOwnJoins, ReadsPagesOfSoManyRoomsAtOnce) {
  for (int i = 0; i < 9; ++i) {
    const std::string room = fmt::format("r{}", i);
    connection_->Ask(Join(room, 1), 1);
    connection_->OnSubscribed(room, 6, true);
    host_.position = 6;
    connection_->OnResult(Join(room, 1), 1, Joined(6));
  }
  ASSERT_EQ(CountPages(), 4u);

  // One that comes to nothing makes room for the next, too.
  for (std::size_t i = 0; i < host_.forwarded.size(); ++i) {
    const v1::Command command = host_.forwarded[i].first;
    if (!command.has_replay_page()) continue;
    connection_->OnResult(command, std::nullopt,
                          i % 2 == 0 ? Refused(v1::REASON_NOT_A_MEMBER) : Page(2, 6, false));
  }

  EXPECT_EQ(CountPages(), 9u);
}

// Before it is admitted.
class ConnectionResumes : public ConnectionOwnJoins {
 protected:
  void Connect(v1::Resume&& resume, std::optional<std::uint64_t> reply_id) {
    connection_ = std::make_unique<Connection>(host_, wire_, transport_, encoder_);
    connection_->SetConnect(connect_);
    connection_->ResumeOnConnect(std::move(resume), reply_id);
    ASSERT_FALSE(connection_->Authenticate(Token()));
    EXPECT_THAT(Joins(), IsEmpty());
    connection_->Admit(513, "e-513");
  }

  DialectConnect connect_;
};

TEST_F(ConnectionResumes, WithTheHandshakeAsSoonAsItIsAdmitted) {
  Connect(Rooms({{"a", 4}, {"b", 5}}), 0);
  EXPECT_THAT(Joins(), ElementsAre("a behind 4", "b behind 5"));
  EXPECT_THAT(wire_.said, ElementsAre("connected e-513 ann"));

  Subscribed("a", 4, 4);
  Answer("b", 5, Refused(v1::REASON_NOT_A_MEMBER));

  EXPECT_THAT(wire_.said, SizeIs(3));
  EXPECT_EQ(wire_.last_result.resume().rooms_size(), 2);
}

TEST_F(ConnectionResumes, IsToldOfTooManyRoomsBehindConnected) {
  host_.connection_limits.rooms = 1;
  Connect(Rooms({{"a", 4}, {"b", 5}}), std::nullopt);

  EXPECT_THAT(Joins(), IsEmpty());
  EXPECT_THAT(wire_.said, ElementsAre("connected e-513 ann", "refusal 0 LIMIT_REACHED"));
}

TEST_F(ConnectionResumes, BeforeItJoinsTheRoomsOfItsDialect) {
  connect_.auto_subscribe = "game_*";
  Connect(Rooms({{"a", 4}}), std::nullopt);
  EXPECT_THAT(Joins(), ElementsAre("a behind 4"));

  Subscribed("a", 4, 4);

  EXPECT_THAT(Joins(), ElementsAre("list"));
}

}  // namespace
}  // namespace confab::edge
