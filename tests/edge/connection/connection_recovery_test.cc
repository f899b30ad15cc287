// How a connection goes on with the session of one that was lost, and what it says of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/connection/connection_fixture.h"

namespace confab::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ConnectionRecovery : public testing::Test {
 protected:
  ConnectionRecovery() {
    connection_.MakeRecoverable(stamp_, "confab", "/", {.pid = "p", .offset = "e.1.2"});
  }

  static v1::LostSession Session() {
    v1::LostSession session;
    session.set_pid("000000000000000100000000000000ab");
    session.set_sid("e-7");
    session.add_rooms()->set_room_id("r");
    session.mutable_rooms(0)->set_after_seq(4);
    return session;
  }

  void Begin(const v1::LostSession* session) {
    EXPECT_FALSE(connection_.Authenticate(Token()));
    connection_.OnSession(session);
    connection_.Admit(513, "e-513");
  }

  // Control's answer to the join of "r" behind 4, whose log has come to `last_seq`.
  void AnswerJoin(const v1::Result& result, int64_t last_seq) {
    v1::Command join = Join("r", 4);
    join.set_is_automatic(true);
    join.set_connection(513);
    if (!result.has_error()) {
      EXPECT_EQ(connection_.OnSubscribed("r", last_seq, true), 4);
      host_.position = last_seq;
    }
    connection_.OnResult(join, std::nullopt, result);
  }

  void AnswerPage(int64_t after_seq, const v1::Result& page) {
    v1::Command command;
    command.mutable_replay_page()->set_room_id("r");
    command.mutable_replay_page()->set_after_seq(after_seq);
    connection_.OnResult(command, std::nullopt, page);
  }

  const std::string beginning_ = "e.1.";
  OffsetStamp stamp_{beginning_};
  RecordingTransport transport_;
  RecordingWire wire_;
  RecordingHost host_;
  NumberEncoder encoder_{0};
  Connection connection_{host_, wire_, transport_, encoder_};
};

TEST_F(ConnectionRecovery, JoinsTheRoomsOfTheSessionWithoutAWord) {
  const v1::LostSession session = Session();
  Begin(&session);
  wire_.said.clear();
  ASSERT_EQ(host_.forwarded.size(), 1u);
  EXPECT_EQ(host_.forwarded[0].first.join_room().room_id(), "r");
  EXPECT_EQ(host_.forwarded[0].first.join_room().after_seq(), 4);
  EXPECT_TRUE(connection_.is_owed());

  AnswerJoin(Joined(6), 6);
  AnswerPage(4, Page(5, 6, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:5", "0:6"));
  // The answer to a Resume, which no dialect has a word for without an ack.
  EXPECT_THAT(wire_.said, ElementsAre("result 0"));
  EXPECT_FALSE(connection_.is_owed());
}

TEST_F(ConnectionRecovery, TellsOfARoomThatIsNotToBeHadAnyMore) {
  const v1::LostSession session = Session();
  Begin(&session);
  wire_.said.clear();

  AnswerJoin(Refused(v1::REASON_BANNED), 0);

  EXPECT_THAT(wire_.said, ElementsAre("refusal 0 BANNED", "result 0"));
  EXPECT_THAT(transport_.sent, IsEmpty());
}

TEST_F(ConnectionRecovery, WantsProofThatItsClientKnowsOfARoomThatIsNotToBeHad) {
  const v1::LostSession session = Session();
  stamp_.Set(NumberOf(20));
  Begin(&session);

  AnswerJoin(Refused(v1::REASON_BANNED), 0);

  EXPECT_FALSE(connection_.is_owed());
  const GoodOffsets offsets = connection_.recovery()->offsets(false);
  EXPECT_FALSE(offsets.Has(0));
  EXPECT_FALSE(offsets.Has(NumberOf(20)));
  EXPECT_TRUE(offsets.Has(NumberOf(20, 1))) << "the refusal itself, and what follows it";
  EXPECT_TRUE(offsets.Has(NumberOf(21)));
}

TEST_F(ConnectionRecovery, WantsProofThatItsClientKnowsOfTooManyRooms) {
  host_.connection_limits.rooms = 1;
  v1::LostSession session = Session();
  session.add_rooms()->set_room_id("s");
  stamp_.Set(NumberOf(20));

  Begin(&session);

  EXPECT_FALSE(connection_.is_owed());
  EXPECT_FALSE(connection_.recovery()->offsets(false).Has(NumberOf(20)));
}

TEST_F(ConnectionRecovery, StaysQuietWhereItsClientResumesMeanwhile) {
  const v1::LostSession session = Session();
  Begin(&session);
  wire_.said.clear();
  v1::Command resume;
  (*resume.mutable_resume()->mutable_rooms())["s"] = 1;

  connection_.Ask(std::move(resume), 5);
  AnswerJoin(Joined(4), 4);

  EXPECT_THAT(wire_.said, ElementsAre("refusal 5 BAD_REQUEST", "result 0"));
}

TEST_F(ConnectionRecovery, GivesItsOwnReplaysNumbersOfTheirOwn) {
  const v1::LostSession session = Session();
  Begin(&session);
  stamp_.Set(NumberOf(20));
  AnswerJoin(Joined(6), 6);
  AnswerPage(4, Page(5, 6, false));

  const GoodOffsets offsets = connection_.recovery()->offsets(connection_.is_owed());

  EXPECT_FALSE(offsets.Has(NumberOf(20)));
  EXPECT_FALSE(offsets.Has(NumberOf(20, 1)));
  EXPECT_TRUE(offsets.Has(NumberOf(20, 2)));
  EXPECT_TRUE(offsets.Has(NumberOf(21)));
}

TEST_F(ConnectionRecovery, HasTheClientsOwnWordOnAPosition) {
  v1::Resume resume;
  (*resume.mutable_rooms())["r"] = 5;
  connection_.ResumeOnConnect(std::move(resume), std::nullopt);
  const v1::LostSession session = Session();

  Begin(&session);

  ASSERT_EQ(host_.forwarded.size(), 1u);
  EXPECT_EQ(host_.forwarded[0].first.join_room().after_seq(), 5);
}

TEST_F(ConnectionRecovery, BeginsAnewWithoutASession) {
  Begin(nullptr);

  EXPECT_THAT(host_.forwarded, IsEmpty());
  EXPECT_FALSE(connection_.is_owed());
  EXPECT_TRUE(connection_.recovery()->offsets(false).Has(NumberOf(0)));
}

TEST_F(ConnectionRecovery, DistrustsOffsetsOfBeforeFramesWereDropped) {
  Begin(nullptr);
  stamp_.Set(NumberOf(30));
  host_.rooms = {"r"};
  host_.position = 9;
  const Dropped dropped{.key = encoder_.KeyOfRoom("r"), .first_seq = 8};

  connection_.OnDegraded({&dropped, 1});

  EXPECT_TRUE(connection_.is_owed());
  EXPECT_FALSE(connection_.recovery()->offsets(false).Has(NumberOf(30)));
}

}  // namespace
}  // namespace confab::edge
