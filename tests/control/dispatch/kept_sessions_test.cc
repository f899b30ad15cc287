#include "control/dispatch/kept_sessions.h"

#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "tests/control/dispatch/recovery_words.h"

namespace confab::control {
namespace {

using std::chrono::milliseconds;

constexpr KeptSessions::SteadyTime kStart{std::chrono::hours(1)};

TEST(KeptSessions, GivesASessionOnceToWhoNamesItsNumber) {
  KeptSessions kept;
  kept.Keep("e1", 1, HandedOver("p", 40), kStart);

  const std::optional<v1::LostSession> session = kept.Take(QuestionOf("p", "e1", 40), kStart);

  ASSERT_TRUE(session);
  EXPECT_EQ(session->SerializeAsString(), Lost("p").SerializeAsString());
  EXPECT_FALSE(kept.Take(QuestionOf("p", "e1", 40), kStart)) << "it is in use again";
  EXPECT_EQ(kept.size(), 0u);
  EXPECT_EQ(kept.bytes(), 0u);
}

TEST(KeptSessions, GivesNothingForAnotherOffset) {
  KeptSessions kept;
  kept.Keep("e1", 1, HandedOver("p", 40), kStart);
  v1::RecoveryQuestion of_another_epoch = QuestionOf("p", "e1", 40);
  of_another_epoch.set_epoch(2);

  EXPECT_FALSE(kept.Take(QuestionOf("p", "e1", 39), kStart));
  EXPECT_FALSE(kept.Take(QuestionOf("p", "e1", 41), kStart));
  EXPECT_FALSE(kept.Take(QuestionOf("p", "e2", 40), kStart));
  EXPECT_FALSE(kept.Take(of_another_epoch, kStart));
  EXPECT_FALSE(kept.Take(QuestionOf("q", "e1", 40), kStart));

  EXPECT_TRUE(kept.Take(QuestionOf("p", "e1", 40), kStart)) << "none of them took it out";
}

TEST(KeptSessions, KeepsItForItsOwner) {
  KeptSessions kept;
  kept.Keep("e1", 1, HandedOver("p", 40), kStart);
  v1::RecoveryQuestion of_bob = QuestionOf("p", "e1", 40);
  of_bob.set_user_id("bob");
  v1::RecoveryQuestion in_another_dialect = QuestionOf("p", "e1", 40);
  in_another_dialect.set_dialect("rooms");
  v1::RecoveryQuestion in_another_namespace = QuestionOf("p", "e1", 40);
  in_another_namespace.set_namespace_("/game");

  EXPECT_FALSE(kept.Take(of_bob, kStart));
  EXPECT_FALSE(kept.Take(in_another_dialect, kStart));
  EXPECT_FALSE(kept.Take(in_another_namespace, kStart));

  EXPECT_TRUE(kept.Take(QuestionOf("p", "e1", 40), kStart));
}

TEST(KeptSessions, ForgetsAfterTwoMinutes) {
  KeptSessions kept;
  kept.Keep("e1", 1, HandedOver("p", 40), kStart);
  kept.Keep("e1", 1, HandedOver("q", 41), kStart + milliseconds(1));

  EXPECT_FALSE(kept.Take(QuestionOf("p", "e1", 40), kStart + KeptSessions::kLife));
  EXPECT_TRUE(kept.Take(QuestionOf("q", "e1", 41), kStart + KeptSessions::kLife));

  kept.Keep("e1", 1, HandedOver("p", 42), kStart);
  kept.Tidy(kStart + KeptSessions::kLife - milliseconds(1));
  EXPECT_EQ(kept.size(), 1u);
  kept.Tidy(kStart + KeptSessions::kLife);
  EXPECT_EQ(kept.size(), 0u);
  EXPECT_EQ(kept.bytes(), 0u);
}

TEST(KeptSessions, KeepsTheNewestOfAPid) {
  KeptSessions kept;
  kept.Keep("e1", 1, HandedOver("p", 40), kStart);
  const size_t bytes = kept.bytes();

  kept.Keep("e2", 1, HandedOver("p", 9), kStart);

  EXPECT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept.bytes(), bytes);
  EXPECT_FALSE(kept.Take(QuestionOf("p", "e1", 40), kStart));
  EXPECT_TRUE(kept.Take(QuestionOf("p", "e2", 9), kStart));
}

TEST(KeptSessions, LetsTheOldestGoWhereThereAreTooMany) {
  KeptSessions kept(2);
  for (const char* pid : {"p", "q", "r"}) kept.Keep("e1", 1, HandedOver(pid, 40), kStart);

  EXPECT_EQ(kept.size(), 2u);
  EXPECT_FALSE(kept.Take(QuestionOf("p", "e1", 40), kStart));
  EXPECT_TRUE(kept.Take(QuestionOf("q", "e1", 40), kStart));
  EXPECT_TRUE(kept.Take(QuestionOf("r", "e1", 40), kStart));
}

TEST(KeptSessions, LetsTheOldestGoWhereTheyAreTooLarge) {
  v1::SessionHandedOver large = HandedOver("large", 1);
  for (int i = 0; i < 20; ++i) large.mutable_session()->add_rooms()->set_room_id("room of a name");
  KeptSessions kept(100, 1'000);
  kept.Keep("e1", 1, HandedOver("p", 40), kStart);
  kept.Keep("e1", 1, HandedOver("q", 40), kStart);
  kept.Keep("e1", 1, HandedOver("r", 40), kStart);
  ASSERT_EQ(kept.size(), 3u);

  kept.Keep("e1", 1, large, kStart);

  EXPECT_LE(kept.bytes(), 1'000u);
  EXPECT_EQ(kept.size(), 2u);
  EXPECT_TRUE(kept.Take(QuestionOf("r", "e1", 40), kStart));
  EXPECT_TRUE(kept.Take(QuestionOf("large", "e1", 1), kStart));
}

TEST(KeptSessions, KeepsNothingThatNeverFits) {
  KeptSessions kept(100, 100);

  kept.Keep("e1", 1, HandedOver("p", 40), kStart);

  EXPECT_EQ(kept.size(), 0u);
  EXPECT_EQ(kept.bytes(), 0u);
}

}  // namespace
}  // namespace confab::control
