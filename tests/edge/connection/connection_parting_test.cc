// What a connection says of itself for another edge to go on in its place.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/connection/connection_fixture.h"

namespace confab::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ConnectionParting : public ConnectionTest {
 protected:
  // "r behind 4" for each room; "nothing" where it cannot be said.
  std::vector<std::string> Described() const {
    v1::LostSession session;
    if (!connection_->DescribeLost(session)) return {"nothing"};
    EXPECT_EQ(session.user_id(), "ann");
    std::vector<std::string> rooms;
    for (const v1::LostRoom& room : session.rooms()) {
      rooms.push_back(fmt::format("{} behind {}", room.room_id(), room.after_seq()));
    }
    return rooms;
  }
};

TEST_F(ConnectionParting, NamesRoomsWhereTheHubHasCome) {
  host_.rooms = {"a", "r"};
  host_.position = 9;

  EXPECT_THAT(Described(), ElementsAre("a behind 9", "r behind 9"));
}

TEST_F(ConnectionParting, NamesNoRoomThatHasNoPosition) {
  host_.rooms = {"a", "r"};
  host_.position = 9;
  host_.not_in = {"a"};

  EXPECT_THAT(Described(), ElementsAre("r behind 9"));
}

TEST_F(ConnectionParting, NamesWhatWasHandedOverOfARoomThatIsReplayed) {
  JoinBehind(4, 20);
  host_.rooms = {"r"};
  EXPECT_THAT(Described(), ElementsAre("r behind 4"));

  AnswerPage(4, Page(5, 9, true));
  EXPECT_THAT(Described(), ElementsAre("r behind 9"));

  AnswerPage(9, Page(10, 20, false));
  EXPECT_THAT(Described(), ElementsAre("r behind 20"));
}

TEST_F(ConnectionParting, NamesWhatComesBeforeFramesThatWereDropped) {
  host_.rooms = {"r"};
  host_.since = 2;
  host_.position = 9;
  const Dropped dropped{.key = encoder_.KeyOfRoom("r"), .first_seq = 6};

  connection_->OnDegraded({&dropped, 1});

  EXPECT_THAT(Described(), ElementsAre("r behind 5"));
}

TEST_F(ConnectionParting, SaysNothingWhereARoomThatHasEndedIsStillRead) {
  JoinBehind(4, 20);
  connection_->OnUnsubscribed("r", 12, 4);

  EXPECT_THAT(Described(), ElementsAre("nothing"));
}

TEST_F(ConnectionParting, SaysNothingWhereAResumeWasGivenUp) {
  v1::Command resume;
  (*resume.mutable_resume()->mutable_rooms())["a"] = 4;
  connection_->Ask(std::move(resume), 5);

  connection_->EndCommands();

  EXPECT_THAT(Described(), ElementsAre("nothing"));
}

TEST_F(ConnectionParting, SaysNothingWhileTheTransportHasDroppedWhatItDoesNotTell) {
  host_.rooms = {"r"};
  host_.position = 9;

  transport_.room_for = 0;

  EXPECT_THAT(Described(), ElementsAre("nothing"));
}

TEST_F(ConnectionParting, SaysNothingOfWhoWasNeverAdmitted) {
  Connection waiting(host_, wire_, transport_, encoder_);
  v1::LostSession session;

  EXPECT_FALSE(waiting.DescribeLost(session));
  EXPECT_THAT(session.rooms(), IsEmpty());
}

}  // namespace
}  // namespace confab::edge
