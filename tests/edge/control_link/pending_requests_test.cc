#include "edge/control_link/pending_requests.h"

#include <string>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SteadyTime kStart = SteadyTime(std::chrono::hours(1));
constexpr SteadyTime kDeadline = kStart + seconds(3);

v1::Command Post(uint64_t connection, const std::string& client_msg_id = "") {
  v1::Command command;
  command.set_connection(connection);
  command.mutable_post_message()->set_content("hi");
  command.mutable_post_message()->set_client_msg_id(client_msg_id);
  return command;
}

v1::Command History(uint64_t connection) {
  v1::Command command;
  command.set_connection(connection);
  command.mutable_get_history()->set_room_id("r");
  return command;
}

uint64_t Add(PendingRequests& pending, v1::Command command, SteadyTime deadline = kDeadline) {
  const PendingRequest* added = pending.Add(std::move(command), std::nullopt, kStart, deadline);
  return added == nullptr ? 0 : added->command.request();
}

PendingRequest Expired(v1::Command command, bool was_sent) {
  PendingRequest request;
  request.command = std::move(command);
  request.was_sent = was_sent;
  return request;
}

TEST(PendingRequests, NumbersRequestsByThread) {
  PendingRequests pending(7);

  const uint64_t first = Add(pending, Post(1));
  const uint64_t second = Add(pending, Post(1));

  EXPECT_EQ(first & 0xff, 7u);
  EXPECT_EQ(second & 0xff, 7u);
  EXPECT_GT(second, first);
  EXPECT_NE(first, 0u);
}

TEST(PendingRequests, TellsControlHowMuchTimeIsLeft) {
  PendingRequests pending(0);

  const PendingRequest* added = pending.Add(Post(1), 5, kStart, kStart + milliseconds(1'500));

  ASSERT_NE(added, nullptr);
  EXPECT_EQ(added->command.deadline_ms(), 1'500u);
  EXPECT_EQ(added->reply_id, 5u);
  EXPECT_EQ(added->sent_at, kStart);
}

TEST(PendingRequests, CompletesWhatWasAsked) {
  PendingRequests pending(1);
  Add(pending, History(4));
  const PendingRequest* added = pending.Add(Post(5, "c"), 77, kStart, kDeadline);
  const uint64_t request = added->command.request();

  const auto completed = pending.Complete(request);

  ASSERT_TRUE(completed);
  EXPECT_EQ(completed->command.connection(), 5u);
  EXPECT_EQ(completed->command.post_message().client_msg_id(), "c");
  EXPECT_EQ(completed->reply_id, 77u);
  EXPECT_EQ(pending.size(), 1u);
}

TEST(PendingRequests, GivesOneOutcomeToASecondResult) {
  PendingRequests pending(1);
  const uint64_t first = Add(pending, Post(1));
  const uint64_t second = Add(pending, Post(1));

  EXPECT_TRUE(pending.Complete(second));
  EXPECT_FALSE(pending.Complete(second));
  EXPECT_TRUE(pending.Complete(first));
  EXPECT_FALSE(pending.Complete(first));
  EXPECT_FALSE(pending.Complete(second));
}

TEST(PendingRequests, GivesOneOutcomeToAResultAfterTheDeadline) {
  PendingRequests pending(1);
  const uint64_t request = Add(pending, Post(1));

  EXPECT_EQ(pending.Expire(kDeadline).size(), 1u);

  EXPECT_FALSE(pending.Complete(request));
  EXPECT_TRUE(pending.Expire(kDeadline).empty());
}

TEST(PendingRequests, IgnoresResultsItNeverAskedFor) {
  PendingRequests pending(1);
  const uint64_t request = Add(pending, Post(1));

  EXPECT_FALSE(pending.Complete(0));
  EXPECT_FALSE(pending.Complete(request + 256));
  EXPECT_FALSE(pending.Complete(request ^ 2)) << "another thread's";
  EXPECT_FALSE(pending.Complete(UINT64_MAX));

  EXPECT_EQ(pending.size(), 1u);
}

TEST(PendingRequests, ExpiresInOrderAndNotBefore) {
  PendingRequests pending(1);
  Add(pending, Post(1), kStart + seconds(3));
  Add(pending, Post(2), kStart + seconds(1));
  Add(pending, Post(3), kStart + seconds(2));

  EXPECT_TRUE(pending.Expire(kStart + milliseconds(999)).empty());
  const auto expired = pending.Expire(kStart + seconds(2));

  ASSERT_EQ(expired.size(), 2u);
  EXPECT_EQ(expired[0].command.connection(), 2u);
  EXPECT_EQ(expired[1].command.connection(), 3u);
  EXPECT_EQ(pending.size(), 1u);
}

TEST(PendingRequests, SendsTheUnansweredAgainInOrderUnderTheSameNumber) {
  PendingRequests pending(1);
  const uint64_t first = Add(pending, Post(1));
  const uint64_t second = Add(pending, Post(2));
  const uint64_t third = Add(pending, Post(3));
  pending.Complete(second);

  const auto unanswered = pending.Unanswered(kStart + seconds(1));

  ASSERT_EQ(unanswered.size(), 2u);
  EXPECT_EQ(unanswered[0]->request(), first);
  EXPECT_EQ(unanswered[1]->request(), third);
  EXPECT_EQ(unanswered[0]->deadline_ms(), 2'000u);
  EXPECT_EQ(unanswered[0]->post_message().content(), "hi");
}

TEST(PendingRequests, DoesNotSendAgainWhatNobodyWaitsFor) {
  PendingRequests pending(1);
  Add(pending, Post(1), kStart + seconds(1));
  const uint64_t second = Add(pending, Post(2), kStart + seconds(2));

  const auto unanswered = pending.Unanswered(kStart + seconds(1));

  ASSERT_EQ(unanswered.size(), 1u);
  EXPECT_EQ(unanswered[0]->request(), second);
  EXPECT_EQ(pending.size(), 2u) << "the other one still gets its outcome";
}

TEST(PendingRequests, DropsWhatAGoneConnectionAsked) {
  PendingRequests pending(1);
  const uint64_t first = Add(pending, Post(1));
  const uint64_t second = Add(pending, Post(2));
  const uint64_t third = Add(pending, Post(1));

  EXPECT_EQ(pending.Drop(1), 2u);

  EXPECT_FALSE(pending.Complete(first));
  EXPECT_TRUE(pending.Complete(second));
  EXPECT_FALSE(pending.Complete(third));
  EXPECT_EQ(pending.Drop(1), 0u);
}

TEST(PendingRequests, RefusesTooMany) {
  PendingRequests pending(1, 2);
  const uint64_t first = Add(pending, Post(1));
  Add(pending, Post(1));
  v1::Command third = Post(1, "kept");

  EXPECT_EQ(pending.Add(std::move(third), 1, kStart, kDeadline), nullptr);

  EXPECT_EQ(third.post_message().client_msg_id(), "kept");  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(pending.size(), 2u);
  pending.Complete(first);
  EXPECT_NE(Add(pending, Post(1)), 0u);
}

TEST(PendingRequests, RefusesTooMuch) {
  v1::Command large = Post(1);
  large.mutable_post_message()->set_content(std::string(600, 'x'));
  PendingRequests pending(1, 100, 1'000);
  const uint64_t first = Add(pending, large);

  EXPECT_EQ(Add(pending, large), 0u);
  EXPECT_NE(Add(pending, Post(1)), 0u);

  pending.Complete(first);
  EXPECT_NE(Add(pending, large), 0u);
}

TEST(PendingRequests, IsEmptyAgainAtTheEnd) {
  PendingRequests pending(1);
  const uint64_t first = Add(pending, Post(1));
  Add(pending, Post(2), kStart + seconds(1));
  Add(pending, Post(3));

  pending.Complete(first);
  pending.Expire(kStart + seconds(1));
  pending.Drop(3);

  EXPECT_EQ(pending.size(), 0u);
  EXPECT_EQ(pending.bytes(), 0u);
}

TEST(PendingRequests, BoundsTheHolesBehindOneThatWaits) {
  PendingRequests pending(1, 4);
  Add(pending, History(1));
  int answered = 0;
  while (const uint64_t request = Add(pending, Post(1))) {
    pending.Complete(request);
    ASSERT_LT(++answered, 1'000);
  }

  EXPECT_GE(answered, 4);
  pending.Expire(kDeadline);
  EXPECT_NE(Add(pending, Post(1)), 0u);
}

TEST(PendingRequests, FindsEachAmongThousands) {
  PendingRequests pending(3);
  std::vector<uint64_t> requests;
  for (uint64_t i = 0; i < 3'000; ++i) requests.push_back(Add(pending, Post(i)));

  // From both ends and the middle.
  for (size_t i = 0; i < requests.size(); ++i) {
    const size_t at = (i * 1'999) % requests.size();
    const auto completed = pending.Complete(requests[at]);
    ASSERT_TRUE(completed) << at;
    ASSERT_EQ(completed->command.connection(), at);
  }
  EXPECT_EQ(pending.bytes(), 0u);
}

TEST(ErrorOfExpiry, IsRetryableWithTheClientsOwnKey) {
  const v1::Error error = ErrorOfExpiry(Expired(Post(1, "c"), true));

  EXPECT_EQ(error.reason(), v1::REASON_UNAVAILABLE);
  EXPECT_TRUE(error.retryable());
}

TEST(ErrorOfExpiry, IsUnknownForAPostWithoutKey) {
  const v1::Error error = ErrorOfExpiry(Expired(Post(1), true));

  EXPECT_EQ(error.reason(), v1::REASON_OUTCOME_UNKNOWN);
  EXPECT_FALSE(error.retryable());
}

TEST(ErrorOfExpiry, IsRetryableForWhatNeverLeft) {
  EXPECT_EQ(ErrorOfExpiry(Expired(Post(1), false)).reason(), v1::REASON_UNAVAILABLE);
}

TEST(ErrorOfExpiry, IsRetryableForWhatChangesNothing) {
  v1::Command join;
  join.mutable_join_room();
  v1::Command leave;
  leave.mutable_leave_room();
  v1::Command replay;
  replay.mutable_replay_page();
  for (const v1::Command& command : {History(1), join, leave, replay}) {
    EXPECT_EQ(ErrorOfExpiry(Expired(command, true)).reason(), v1::REASON_UNAVAILABLE);
  }
}

TEST(ErrorOfExpiry, RemembersWhetherItWasSent) {
  PendingRequests pending(1);
  const uint64_t sent = Add(pending, Post(1));
  Add(pending, Post(2));
  pending.MarkSent(sent);
  pending.MarkSent(sent + 25'600);

  const auto expired = pending.Expire(kDeadline);

  ASSERT_EQ(expired.size(), 2u);
  EXPECT_EQ(ErrorOfExpiry(expired[0]).reason(), v1::REASON_OUTCOME_UNKNOWN);
  EXPECT_EQ(ErrorOfExpiry(expired[1]).reason(), v1::REASON_UNAVAILABLE);
}

}  // namespace
}  // namespace confab::edge
