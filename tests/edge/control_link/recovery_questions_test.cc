#include "edge/control_link/recovery_questions.h"

#include <optional>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using std::chrono::milliseconds;

constexpr RecoveryQuestions::SteadyTime kStart{std::chrono::hours(1)};
constexpr auto kEnd = kStart + RecoveryQuestions::kWait;

// Connections.
constexpr uint64_t kAnn = 5 << 8 | 7;
constexpr uint64_t kBob = 6 << 8 | 7;

TEST(RecoveryQuestions, GivesTicketsThatNameTheThread) {
  RecoveryQuestions questions(7);

  const auto first = questions.Add(kAnn, kStart);
  const auto second = questions.Add(kBob, kStart);

  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(*first & 0xff, 7u);
  EXPECT_EQ(*second & 0xff, 7u);
}

TEST(RecoveryQuestions, TakesEachAnswerOnce) {
  RecoveryQuestions questions(1);
  const auto first = questions.Add(kAnn, kStart);
  const auto second = questions.Add(kBob, kStart);

  EXPECT_EQ(questions.Take(*second), kBob);
  EXPECT_EQ(questions.Take(*second), std::nullopt) << "told already";
  EXPECT_EQ(questions.Take(*first), kAnn);
  EXPECT_EQ(questions.Take(*first + 1'024), std::nullopt) << "never asked";
}

TEST(RecoveryQuestions, EndsTheWaitOfEachInItsTurn) {
  RecoveryQuestions questions(1);
  const auto first = questions.Add(kAnn, kStart);
  questions.Add(kBob, kStart + milliseconds(1));

  EXPECT_EQ(questions.TakeExpired(kEnd - milliseconds(1)), std::nullopt);
  EXPECT_EQ(questions.TakeExpired(kEnd), kAnn);
  EXPECT_EQ(questions.TakeExpired(kEnd), std::nullopt);
  EXPECT_EQ(questions.Take(*first), std::nullopt) << "the answer comes too late";
  EXPECT_EQ(questions.TakeExpired(kEnd + milliseconds(1)), kBob);
  EXPECT_EQ(questions.size(), 0u);
}

TEST(RecoveryQuestions, ForgetsWhoIsGone) {
  RecoveryQuestions questions(1);
  const auto ticket = questions.Add(kAnn, kStart);

  questions.Drop(kAnn);

  EXPECT_EQ(questions.Take(*ticket), std::nullopt);
  EXPECT_EQ(questions.TakeExpired(kEnd), std::nullopt);
}

TEST(RecoveryQuestions, RefusesMoreThanMayWait) {
  RecoveryQuestions questions(1);
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < RecoveryQuestions::kCountLimit; ++i) {
    last = questions.Add(i, kStart).value_or(0);
  }

  EXPECT_EQ(questions.Add(kBob, kStart), std::nullopt);

  questions.Take(last);
  EXPECT_TRUE(questions.Add(kBob, kStart));
}

}  // namespace
}  // namespace confab::edge
