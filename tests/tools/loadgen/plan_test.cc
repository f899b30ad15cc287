#include "tools/loadgen/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

using testing::HasSubstr;

TEST(Plan, OfAFanoutIsOneRoom) {
  const auto plan = MakePlan(Scenario::kFanout, {.members = 1000, .senders = 4, .window = 8});

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->members(), 1000U);
  EXPECT_EQ(plan->senders(), 4U);
  EXPECT_EQ(plan->window, 8U);
  EXPECT_TRUE(plan->Sends(3));
  EXPECT_FALSE(plan->Sends(4));
}

TEST(Plan, OfPairsLetsEverybodySend) {
  const auto plan =
      MakePlan(Scenario::kPairs, {.members = 6, .room_size = 2, .window = 1, .rate = 9});

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->rooms, 3U);
  EXPECT_EQ(plan->senders(), 6U);
  EXPECT_EQ(plan->rate, 0) << "by window";
  for (uint32_t member = 0; member < 6; ++member) {
    EXPECT_EQ(plan->RoomOf(member), member / 2);
    EXPECT_EQ(plan->MemberOfSender(plan->SenderOf(member)), member);
  }
}

TEST(Plan, NumbersSendersThroughAllRooms) {
  const Plan plan{.rooms = 3, .members_per_room = 5, .senders_per_room = 2};

  EXPECT_EQ(plan.senders(), 6U);
  for (uint32_t sender = 0; sender < 6; ++sender) {
    const uint32_t member = plan.MemberOfSender(sender);
    EXPECT_TRUE(plan.Sends(member));
    EXPECT_EQ(plan.SenderOf(member), sender);
    EXPECT_EQ(plan.RoomOf(member), sender / 2);
  }
}

TEST(Plan, OfWhoOnlyListensHasNoSenders) {
  const auto idle = MakePlan(Scenario::kIdle, {.members = 100, .rooms = 10});
  const auto handshake = MakePlan(Scenario::kHandshake, {.members = 100, .rooms = 1});

  ASSERT_TRUE(idle.ok() && handshake.ok());
  EXPECT_EQ(idle->senders(), 0U);
  EXPECT_EQ(idle->members_per_room, 10U);
  EXPECT_EQ(handshake->members_per_room, 100U);
}

TEST(Plan, NamesTheOptionThatIsWrong) {
  const auto says = [](Scenario scenario, const PlanOptions& options) {
    return std::string(MakePlan(scenario, options).status().message());
  };

  EXPECT_THAT(says(Scenario::kFanout, {.members = 0, .senders = 1, .window = 1}),
              HasSubstr("--members: give a number from 1"));
  EXPECT_THAT(says(Scenario::kFanout, {.members = 3, .senders = 4, .window = 1}),
              HasSubstr("--senders: give a number from 1 to 3"));
  EXPECT_THAT(says(Scenario::kFanout, {.members = 3, .senders = 1, .window = 0}),
              HasSubstr("--window"));
  EXPECT_THAT(says(Scenario::kPairs, {.members = 5, .room_size = 2, .window = 1}),
              HasSubstr("--users: 5 do not fill rooms of 2"));
  EXPECT_THAT(says(Scenario::kChat, {.members = 4, .room_size = 2, .rate = 0}),
              HasSubstr("--rate"));
  EXPECT_THAT(says(Scenario::kIdle, {.members = 10, .rooms = 3}), HasSubstr("--connections: 10"));
  EXPECT_THAT(says(Scenario::kHandshake, {.members = 10, .rooms = 11}), HasSubstr("--rooms"));
}

TEST(Pacer, SpreadsSendersEvenly) {
  const Plan plan{.rooms = 2, .members_per_room = 2, .senders_per_room = 2, .rate = 10};
  Pacer pacer(plan, 1'000);

  for (uint64_t turn = 0; turn < 8; ++turn) {
    EXPECT_EQ(pacer.sender(), turn % 4);
    EXPECT_NEAR(static_cast<double>(pacer.due()), 1'000 + 25e6 * static_cast<double>(turn), 1);
    pacer.Advance();
  }
}

}  // namespace
}  // namespace confab::loadgen
