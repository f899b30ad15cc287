// What every store owes inboxes: one order a user, retries told apart, acknowledged is gone.
#include <string>

#include <gmock/gmock.h>

#include "tests/contract/store_backends.h"

namespace confab::storage {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

InboxWrite Tell(const std::string& user, const std::string& payload, const std::string& key = "") {
  NewNotification notification;
  notification.notification_id = "id-of-" + payload;
  notification.event = "note";
  notification.payload = payload;
  notification.created_at = kNow;
  notification.expires_at = kNow + absl::Hours(1);
  notification.dedup_key = key;
  return {UserId(user), std::move(notification)};
}

InboxWrite Ack(const std::string& user, int64_t seq) { return {UserId(user), std::nullopt, seq}; }

class StoreInboxes : public StoreContract {
 protected:
  std::vector<InboxOutcome> Write(const std::vector<InboxWrite>& batch) {
    auto outcomes = writer_->WriteInboxes(batch);
    EXPECT_TRUE(outcomes.ok()) << outcomes.status();
    return outcomes.ok() ? *std::move(outcomes) : std::vector<InboxOutcome>(batch.size());
  }
  InboxPage Read(const std::string& user, int64_t after = 0, int32_t limit = 100,
                 int32_t bytes_limit = 1 << 20, absl::Time now = kNow) {
    auto page = store_->ReadInbox({UserId(user), after, now, limit, bytes_limit});
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? *std::move(page) : InboxPage{};
  }
  // "seq payload" of each entry.
  static std::vector<std::string> Lines(const InboxPage& page) {
    std::vector<std::string> lines;
    for (const InboxEntry& entry : page.entries) {
      lines.push_back(std::to_string(entry.seq) + " " + entry.notification.payload);
    }
    return lines;
  }
  InboxHead Head(const std::string& user) {
    const auto heads = store_->ReadInboxHeads({UserId(user)});
    EXPECT_TRUE(heads.ok()) << heads.status();
    return heads.ok() ? heads->at(0) : InboxHead{-1, -1};
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreInboxes, testing::ValuesIn(AllBackends()), BackendName);

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(StoreInboxes, NumberEachUsersNotificationsInTheOrderOfTheBatch) {
  const auto outcomes = Write({Tell("bob", "1"), Tell("ann", "1"), Tell("bob", "2")});
  Write({Tell("bob", "3")});

  EXPECT_EQ(outcomes[0].seq, 1);
  EXPECT_EQ(outcomes[1].seq, 1);
  EXPECT_EQ(outcomes[2].seq, 2);
  EXPECT_EQ(outcomes[2].notification_id, "id-of-2");
  EXPECT_THAT(Lines(Read("bob")), ElementsAre("1 1", "2 2", "3 3"));
  EXPECT_THAT(Lines(Read("ann")), ElementsAre("1 1"));
  EXPECT_EQ(Head("bob"), (InboxHead{0, 3}));
  EXPECT_EQ(Head("nobody"), (InboxHead{0, 0}));
}

TEST_P(StoreInboxes, AnswerHeadsInTheOrderAsked) {
  Write({Tell("b", "1"), Tell("a", "1"), Tell("a", "2")});

  const auto heads = store_->ReadInboxHeads({UserId("b"), UserId("x"), UserId("a")});

  ASSERT_TRUE(heads.ok()) << heads.status();
  EXPECT_THAT(*heads, ElementsAre(InboxHead{0, 1}, InboxHead{0, 0}, InboxHead{0, 2}));
}

TEST_P(StoreInboxes, KeepEveryFieldAndByte) {
  InboxWrite json = Tell("bob", R"({"a" : [1.0, "ü\n'{}" ]})");
  InboxWrite bytes = Tell("bob", std::string("\0\xff\n\\\"x", 6));
  bytes.notification->is_binary = true;
  bytes.notification->notification_id = "id-of-bytes";
  Write({json, bytes});
  Reopen();

  const InboxPage page = Read("bob");

  ASSERT_EQ(page.entries.size(), 2u);
  EXPECT_EQ(page.entries[0].notification.payload, json.notification->payload);
  EXPECT_FALSE(page.entries[0].notification.is_binary);
  EXPECT_EQ(page.entries[0].notification.event, "note");
  EXPECT_EQ(page.entries[0].notification.notification_id, json.notification->notification_id);
  EXPECT_EQ(page.entries[0].notification.created_at, kNow);
  EXPECT_EQ(page.entries[0].notification.expires_at, kNow + absl::Hours(1));
  EXPECT_EQ(page.entries[1].notification.payload, bytes.notification->payload);
  EXPECT_TRUE(page.entries[1].notification.is_binary);
}

TEST_P(StoreInboxes, AcknowledgedIsGoneAndAckingNeverGoesBack) {
  Write({Tell("bob", "1"), Tell("bob", "2"), Tell("bob", "3"), Tell("ann", "1")});

  EXPECT_EQ(Write({Ack("bob", 2)})[0].acked_seq, 2);
  EXPECT_EQ(Write({Ack("bob", 1)})[0].acked_seq, 2);

  EXPECT_THAT(Lines(Read("bob")), ElementsAre("3 3"));
  EXPECT_EQ(Head("bob"), (InboxHead{2, 3}));
  EXPECT_THAT(Lines(Read("ann")), ElementsAre("1 1"));
}

TEST_P(StoreInboxes, AnAckBeyondTheNewestReachesToIt) {
  Write({Tell("bob", "1")});

  EXPECT_EQ(Write({Ack("bob", 99)})[0].acked_seq, 1);
  EXPECT_EQ(Write({Ack("nobody", 99)})[0].acked_seq, 0);
  Write({Tell("bob", "2")});

  EXPECT_THAT(Lines(Read("bob")), ElementsAre("2 2"));
}

TEST_P(StoreInboxes, ARetryIsTheFirstNotificationEvenWhenItWasAcked) {
  const auto first = Write({Tell("bob", "1", "svc/k"), Tell("bob", "2", "svc/k")});
  Write({Ack("bob", 1)});
  const auto again = Write({Tell("bob", "3", "svc/k"), Tell("ann", "1", "svc/k")});

  EXPECT_FALSE(first[0].is_duplicate);
  EXPECT_TRUE(first[1].is_duplicate);
  EXPECT_EQ(first[1].seq, 1);
  EXPECT_EQ(first[1].notification_id, "id-of-1");
  EXPECT_TRUE(again[0].is_duplicate);
  EXPECT_EQ(again[0].seq, 1);
  EXPECT_EQ(again[0].notification_id, "id-of-1");
  EXPECT_EQ(again[0].created_at, kNow);
  EXPECT_FALSE(again[1].is_duplicate);
  EXPECT_EQ(Head("bob"), (InboxHead{1, 1}));
}

TEST_P(StoreInboxes, AKeyIsForgottenAfterItsTime) {
  Write({Tell("bob", "1", "svc/k")});
  InboxWrite later = Tell("bob", "2");
  later.notification->created_at = kNow + kInboxKeyAge + absl::Seconds(1);
  Write({later});

  const auto again = Write({Tell("bob", "3", "svc/k")});

  EXPECT_FALSE(again[0].is_duplicate);
  EXPECT_EQ(again[0].seq, 3);
}

TEST_P(StoreInboxes, AKeyBeyondItsTimeIsNewWhereNothingElseHappened) {
  Write({Tell("bob", "1", "svc/k")});
  InboxWrite in_time = Tell("bob", "2", "svc/k");
  in_time.notification->created_at = kNow + kInboxKeyAge;
  InboxWrite late = Tell("bob", "3", "svc/k");
  late.notification->created_at = kNow + kInboxKeyAge + absl::Seconds(1);

  EXPECT_TRUE(Write({in_time})[0].is_duplicate);
  const auto outcomes = Write({late, late});
  const auto again = Write({late});

  EXPECT_FALSE(outcomes[0].is_duplicate);
  EXPECT_EQ(outcomes[0].seq, 2);
  EXPECT_TRUE(outcomes[1].is_duplicate);
  EXPECT_TRUE(again[0].is_duplicate);
  EXPECT_EQ(again[0].seq, 2);
  EXPECT_EQ(again[0].notification_id, "id-of-3");
}

TEST_P(StoreInboxes, TellWhatWasStoredUnderAKey) {
  Write({Tell("bob", "0"), Tell("bob", "1", "svc/k"), Tell("bob", "2", "svc/k")});
  Write({Ack("bob", 2)});
  Reopen();
  const auto find = [this](const std::string& user, const std::string& key, absl::Time since) {
    const auto first = store_->FindInboxKey(UserId(user), key, since);
    EXPECT_TRUE(first.ok()) << first.status();
    return first.value_or(InboxOutcome());
  };

  const InboxOutcome first = find("bob", "svc/k", kNow);

  EXPECT_TRUE(first.is_duplicate);
  EXPECT_EQ(first.seq, 2);
  EXPECT_EQ(first.notification_id, "id-of-1");
  EXPECT_EQ(first.created_at, kNow);
  EXPECT_FALSE(find("bob", "svc/k", kNow + absl::Seconds(1)).is_duplicate);
  EXPECT_FALSE(find("bob", "svc/l", kNow).is_duplicate);
  EXPECT_FALSE(find("ann", "svc/k", kNow).is_duplicate);
}

TEST_P(StoreInboxes, ExpiredEntriesAreLeftOutAndTheirPlacePassed) {
  InboxWrite brief = Tell("bob", "brief");
  brief.notification->expires_at = kNow + absl::Seconds(1);
  Write({Tell("bob", "1"), brief, Tell("bob", "3"), brief});

  const InboxPage page = Read("bob", 0, 100, 1 << 20, kNow + absl::Seconds(1));

  EXPECT_THAT(Lines(page), ElementsAre("1 1", "3 3"));
  EXPECT_EQ(page.through_seq, 4);
  EXPECT_FALSE(page.more);
}

TEST_P(StoreInboxes, WhatHasExpiredIsRemovedByLaterWrites) {
  InboxWrite brief = Tell("bob", "brief");
  brief.notification->expires_at = kNow + absl::Seconds(1);
  Write({brief, Tell("bob", "2")});
  InboxWrite later = Tell("ann", "1");
  later.notification->created_at = kNow + absl::Seconds(1);
  Write({later});

  EXPECT_THAT(Lines(Read("bob", 0, 100, 1 << 20, kNow)), ElementsAre("2 2"));
}

TEST_P(StoreInboxes, PageByCountAndByBytesAndHoldAtLeastOne) {
  for (int i = 1; i <= 5; ++i) Write({Tell("bob", std::string(100, static_cast<char>('0' + i)))});

  const InboxPage two = Read("bob", 0, 2);
  EXPECT_EQ(two.entries.size(), 2u);
  EXPECT_EQ(two.through_seq, 2);
  EXPECT_TRUE(two.more);
  const InboxPage rest = Read("bob", 2, 3);
  EXPECT_EQ(rest.entries.size(), 3u);
  EXPECT_EQ(rest.through_seq, 5);
  EXPECT_FALSE(rest.more);
  const InboxPage by_bytes = Read("bob", 1, 100, 250);
  EXPECT_EQ(by_bytes.entries.size(), 2u);
  EXPECT_EQ(by_bytes.through_seq, 3);
  EXPECT_TRUE(by_bytes.more);
  EXPECT_EQ(Read("bob", 0, 100, 1).entries.size(), 1u);
  EXPECT_THAT(Read("bob", 5).entries, IsEmpty());
  EXPECT_FALSE(Read("bob", 5).more);
}

TEST_P(StoreInboxes, AFullInboxDropsItsOldest) {
  std::vector<InboxWrite> batch;
  for (int64_t i = 1; i <= kInboxLimit; ++i) batch.push_back(Tell("bob", std::to_string(i)));
  EXPECT_FALSE(Write(batch).back().is_oldest_dropped);

  const auto outcome = Write({Tell("bob", "one more")});

  EXPECT_TRUE(outcome[0].is_oldest_dropped);
  EXPECT_EQ(outcome[0].seq, kInboxLimit + 1);
  EXPECT_EQ(Head("bob"), (InboxHead{1, kInboxLimit + 1}));
  EXPECT_EQ(Read("bob", 0, 1).entries.at(0).seq, 2);
}

TEST_P(StoreInboxes, WhatHasExpiredFillsNoInbox) {
  InboxWrite brief = Tell("bob", "brief");
  brief.notification->expires_at = kNow + absl::Seconds(1);
  Write({Tell("bob", "waits")});
  Write(std::vector<InboxWrite>(static_cast<size_t>(kInboxLimit) - 1, brief));
  InboxWrite later = Tell("bob", "later");
  later.notification->created_at = kNow + absl::Seconds(1);

  const auto outcomes = Write({later, later, Tell("ann", "1")});

  EXPECT_FALSE(outcomes[0].is_oldest_dropped);
  EXPECT_FALSE(outcomes[1].is_oldest_dropped);
  EXPECT_EQ(outcomes[1].seq, kInboxLimit + 2);
  EXPECT_THAT(Lines(Read("bob")), ElementsAre("1 waits", "1001 later", "1002 later"));
}

TEST_P(StoreInboxes, AFullInboxDropsWhatWaitsInItsOrderWhereSomeHaveExpired) {
  InboxWrite brief = Tell("bob", "brief");
  brief.notification->expires_at = kNow + absl::Seconds(1);
  std::vector<InboxWrite> batch = {Tell("bob", "first"), brief, Tell("bob", "second")};
  InboxWrite later = Tell("bob", "later");
  later.notification->created_at = kNow + absl::Seconds(1);
  batch.insert(batch.end(), static_cast<size_t>(kInboxLimit) - 4, Tell("bob", "old"));
  Write(batch);
  Write({later, later});

  const auto outcomes = Write({later, later, Ack("bob", 3), later});

  EXPECT_TRUE(outcomes[0].is_oldest_dropped);
  EXPECT_EQ(outcomes[0].acked_seq, 1);
  EXPECT_TRUE(outcomes[1].is_oldest_dropped);
  EXPECT_EQ(outcomes[1].acked_seq, 3) << "what has expired goes with what is before it";
  EXPECT_TRUE(outcomes[3].is_oldest_dropped);
  EXPECT_EQ(Read("bob", 0, 1).entries.at(0).seq, 5);
}

TEST_P(StoreInboxes, RefuseWhatNoTextColumnTakes) {
  InboxWrite bad = Tell("bob", std::string("a\0b", 3));
  EXPECT_EQ(writer_->WriteInboxes({bad}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(writer_->WriteInboxes({Tell("", "x")}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Head("bob"), (InboxHead{0, 0}));
}

}  // namespace
}  // namespace confab::storage
