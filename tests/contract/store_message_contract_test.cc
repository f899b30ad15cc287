// What every store owes whoever edits, deletes and answers messages.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "tests/contract/store_backends.h"

namespace confab::storage {
namespace {

using Kind = AppendOutcome::Kind;

// An edit or deletion by ann of the message that Post made with `message_key`.
AppendRequest ChangeMessage(const std::string& room, EventKind kind, const std::string& message_key,
                            const std::string& key, const std::string& content = "") {
  AppendRequest request = Post(room, 1, key, content);
  request.events[0].kind = kind;
  request.events[0].message_id = "id-of-" + message_key;
  return request;
}

AppendRequest Edit(const std::string& message_key, const std::string& key,
                   const std::string& content) {
  return ChangeMessage("a", EventKind::kMessageEdited, message_key, key, content);
}

AppendRequest Delete(const std::string& message_key, const std::string& key) {
  return ChangeMessage("a", EventKind::kMessageDeleted, message_key, key);
}

AppendRequest Answer(const std::string& message_key, const std::string& key) {
  AppendRequest request = Post("a", 1, key);
  request.events[0].reply_to = "id-of-" + message_key;
  return request;
}

TEST_P(StoreContract, KeepsOnlyWhatAnEditedMessageSaysNow) {
  Create("a");
  AppendRequest first = Post("a", 1, "m", "before");
  first.events[0].body = "{}";
  first.events[0].mentions = {UserId("bob")};
  AppendOne(first);
  AppendOne(Post("a", 1, "other", "untouched"));

  const auto outcome = AppendOne(Edit("m", "e1", "after"));
  AppendRequest again = Edit("m", "e2", "last");
  again.events[0].body = "[1]";
  again.events[0].mentions = {UserId("cy"), UserId("bob")};
  AppendOne(again);

  EXPECT_EQ(outcome.kind, Kind::kStored);
  EXPECT_EQ(outcome.first_seq, 4);
  EXPECT_EQ(outcome.target_seq, 2);
  const EventPage page = ReadAll("a");
  const EventRecord& message = page.events.at(1);
  EXPECT_EQ(message.event.content, "last");
  EXPECT_EQ(message.event.body, "[1]");
  EXPECT_EQ(message.event.mentions, again.events[0].mentions);
  EXPECT_EQ(message.event.type, "text");
  EXPECT_EQ(message.marks, (MessageMarks{5, false}));
  EXPECT_EQ(page.events.at(2).event.content, "untouched");
  for (const size_t edit : {size_t{3}, size_t{4}}) {
    const EventRecord& record = page.events.at(edit);
    EXPECT_EQ(record.event.kind, EventKind::kMessageEdited);
    EXPECT_EQ(record.event.message_id, "id-of-m");
    EXPECT_EQ(record.event.target_seq, 2);
    EXPECT_EQ(record.event.content, "last");
    EXPECT_EQ(record.event.mentions, again.events[0].mentions);
    EXPECT_EQ(record.marks, MessageMarks{});
  }
}

TEST_P(StoreContract, EmptiesADeletedMessageAndKeepsItsPlace) {
  Create("a");
  AppendRequest first = Post("a", 1, "m", "before");
  first.events[0].body = "{}";
  first.events[0].mentions = {UserId("bob")};
  AppendOne(first);
  AppendOne(Edit("m", "e", "after"));

  const auto outcome = AppendOne(Delete("m", "d"));

  EXPECT_EQ(outcome.kind, Kind::kStored);
  EXPECT_EQ(outcome.target_seq, 2);
  const EventPage page = ReadAll("a");
  EXPECT_EQ(page.last_seq, 4);
  const EventRecord& message = page.events.at(1);
  EXPECT_EQ(message.event.message_id, "id-of-m");
  EXPECT_EQ(message.event.content, "");
  EXPECT_EQ(message.event.body, "");
  EXPECT_TRUE(message.event.mentions.empty());
  EXPECT_EQ(message.marks, (MessageMarks{3, true}));
  EXPECT_EQ(page.events.at(2).event.content, "");
  EXPECT_EQ(page.events.at(3).event.kind, EventKind::kMessageDeleted);
  EXPECT_EQ(page.events.at(3).event.target_seq, 2);
  EXPECT_EQ(AppendOne(first).kind, Kind::kDuplicate);
}

TEST_P(StoreContract, RefusesMessagesThatAreNotThere) {
  Create("a");
  Create("b");
  Append({Post("a", 1, "gone"), Post("b", 1, "elsewhere")});
  AppendOne(Delete("gone", "d"));

  const auto outcomes =
      Append({Edit("gone", "1", "x"), Delete("gone", "2"), Answer("gone", "3"),
              Edit("elsewhere", "4", "x"), Delete("nowhere", "5"), Answer("elsewhere", "6")});

  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.kind, Kind::kNoTarget);
  EXPECT_EQ(ReadAll("a").last_seq, 3);
}

TEST_P(StoreContract, LetsOnlyTheirSenderChangeMessagesWhereAsked) {
  Create("a");
  AppendOne(Post("a", 1, "m", "hers"));
  AppendRequest edit = Edit("m", "e", "his");
  edit.events[0].actor.id = UserId("bob");
  edit.is_own_only = true;

  EXPECT_EQ(AppendOne(edit).kind, Kind::kNotOwn);
  EXPECT_EQ(ReadAll("a").events.at(1).event.content, "hers");
  edit.is_own_only = false;
  EXPECT_EQ(AppendOne(edit).kind, Kind::kStored);
  EXPECT_EQ(ReadAll("a").events.at(1).event.content, "his");
}

TEST_P(StoreContract, ChangesOneMessageSeveralTimesInABatch) {
  Create("a");
  Append({Post("a", 1, "m"), Post("a", 1, "n")});

  const auto outcomes =
      Append({Edit("m", "1", "x"), Edit("n", "2", "first"), Edit("m", "3", "y"), Delete("m", "4"),
              Edit("m", "5", "z"), Answer("m", "6"), Edit("n", "7", "second"), Answer("n", "8")});

  std::vector<Kind> kinds;
  for (const auto& outcome : outcomes) kinds.push_back(outcome.kind);
  EXPECT_THAT(kinds,
              testing::ElementsAre(Kind::kStored, Kind::kStored, Kind::kStored, Kind::kStored,
                                   Kind::kNoTarget, Kind::kNoTarget, Kind::kStored, Kind::kStored));
  const EventPage page = ReadAll("a");
  EXPECT_EQ(page.events.at(1).event.content, "");
  EXPECT_EQ(page.events.at(1).marks, (MessageMarks{6, true}));
  EXPECT_EQ(page.events.at(2).event.content, "second");
  EXPECT_EQ(page.events.at(2).marks, (MessageMarks{8, false}));
  EXPECT_EQ(page.events.at(8).event.reply_to, "id-of-n");
}

TEST_P(StoreContract, RecognisesRetriesOfEditsAndAnswers) {
  Create("a");
  AppendOne(Post("a", 1, "m"));
  const auto edited = AppendOne(Edit("m", "e", "after"));
  const auto answered = AppendOne(Answer("m", "r"));
  const auto deleted = AppendOne(Delete("m", "d"));

  const auto outcomes = Append({Edit("m", "e", "after"), Answer("m", "r"), Delete("m", "d")});

  EXPECT_EQ(outcomes[0].kind, Kind::kDuplicate);
  EXPECT_EQ(outcomes[0].first_seq, edited.first_seq);
  EXPECT_EQ(outcomes[0].message_id, "id-of-m");
  EXPECT_EQ(outcomes[1].kind, Kind::kDuplicate);
  EXPECT_EQ(outcomes[1].first_seq, answered.first_seq);
  EXPECT_EQ(outcomes[2].kind, Kind::kDuplicate);
  EXPECT_EQ(outcomes[2].first_seq, deleted.first_seq);
}

TEST_P(StoreContract, ReadsTheLogByTime) {
  Create("a");
  std::vector<absl::Time> times;
  for (int i = 0; i < 9; ++i) {
    times.push_back(AppendOne(Post("a", 1, std::to_string(i))).created_at);
  }
  const auto read = [&](std::optional<absl::Time> since, std::optional<absl::Time> until,
                        int32_t limit) {
    EventQuery query;
    query.room = RoomId("a");
    query.since = since;
    query.until = until;
    query.limit = limit;
    const auto page = store_->ReadEvents(query);
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<int64_t> seqs;
    for (const EventRecord& event : page->events) seqs.push_back(event.seq);
    return std::pair(seqs, page->more);
  };
  using Seqs = std::vector<int64_t>;
  // Several may have one time; the first of them counts.
  const auto first_of = [&](absl::Time time) {
    const auto at = std::lower_bound(times.begin(), times.end(), time);
    return 2 + (at - times.begin());
  };
  const int64_t middle = first_of(times[4]);

  EXPECT_EQ(read(times[4], {}, 2), std::pair(Seqs({middle, middle + 1}), true));
  EXPECT_EQ(read({}, times[4], 2), std::pair(Seqs({middle - 2, middle - 1}), true));
  EXPECT_EQ(read(absl::UnixEpoch(), {}, 2), std::pair(Seqs({1, 2}), true));
  EXPECT_EQ(read({}, absl::UnixEpoch(), 2), std::pair(Seqs{}, false));
  EXPECT_EQ(read(times[8] + absl::Microseconds(1), {}, 2), std::pair(Seqs{}, false));
  EXPECT_EQ(read({}, times[8] + absl::Microseconds(1), 2), std::pair(Seqs({9, 10}), true));
}

TEST_P(StoreContract, CountsBodiesTowardsAPagesBytes) {
  Create("a");
  AppendRequest big = Post("a", 1, "m", "");
  big.events[0].body = '"' + std::string(1000, 'x') + '"';
  AppendOne(big);
  big.events[0].dedup.key = "n";
  AppendOne(big);
  EventQuery query;
  query.room = RoomId("a");
  query.after_seq = 1;
  query.bytes_limit = 1500;

  const auto page = store_->ReadEvents(query);

  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->events.size(), 1u);
  EXPECT_TRUE(page->more);
}

}  // namespace
}  // namespace confab::storage
