#include "control/fanout/log_window.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Seqs = std::vector<int64_t>;

constexpr PageLimits kAll = {LogWindow::kEventsLimit, LogWindow::kBytesLimit};

SharedEvent Message(int64_t seq, size_t bytes = 2) {
  v1::RoomEvent event;
  event.mutable_event()->set_seq(seq);
  event.mutable_event()->mutable_message_posted()->set_content(std::string(bytes, 'x'));
  return SharedEvent(std::move(event));
}

SharedEvent Edit(int64_t seq, int64_t message_seq) {
  v1::RoomEvent event;
  event.mutable_event()->set_seq(seq);
  event.mutable_event()->mutable_message_edited()->set_message_seq(message_seq);
  return SharedEvent(std::move(event));
}

// Of a log that ends with `last`.
SharedPage Page(int64_t first, int64_t last, size_t bytes = 2) {
  SharedPage page;
  for (int64_t seq = first; seq <= last; ++seq) page.events.push_back(Message(seq, bytes));
  page.last_seq = last;
  return page;
}

Seqs SeqsOf(const SharedPage& page) {
  Seqs seqs;
  for (const SharedEvent& event : page.events) seqs.push_back(event.seq());
  return seqs;
}

class LogWindowTest : public testing::Test {
 protected:
  static LogWindow::Time At(int seconds) { return LogWindow::Time(std::chrono::seconds(seconds)); }
  static void Append(LogWindow& window, int64_t first, int64_t last, size_t bytes = 2) {
    for (int64_t seq = first; seq <= last; ++seq) window.Append(Message(seq, bytes));
  }

  WindowBudget budget_;
  LogWindow window_{budget_, 10, At(0)};
};

TEST_F(LogWindowTest, HoldsWhatIsPublishedFromItsBeginningOn) {
  EXPECT_TRUE(window_.Covers(10));
  EXPECT_FALSE(window_.Covers(9));
  EXPECT_FALSE(window_.Covers(11));

  Append(window_, 11, 13);

  EXPECT_EQ(SeqsOf(window_.Behind(10, kAll)), (Seqs{11, 12, 13}));
  EXPECT_EQ(SeqsOf(window_.Behind(12, kAll)), (Seqs{13}));
  EXPECT_THAT(SeqsOf(window_.Behind(13, kAll)), IsEmpty());
  EXPECT_EQ(window_.Behind(11, kAll).last_seq, 13);
  EXPECT_FALSE(window_.Behind(11, kAll).more);
  EXPECT_FALSE(window_.Covers(14));
}

TEST_F(LogWindowTest, PutsAPageBeforeWhatWasPublishedMeanwhile) {
  Append(window_, 11, 12);

  window_.Prepend(6, Page(7, 11));  // The store was asked when 11 was there already.

  EXPECT_FALSE(window_.Covers(5));
  EXPECT_EQ(SeqsOf(window_.Behind(6, kAll)), (Seqs{7, 8, 9, 10, 11, 12}));
  EXPECT_TRUE(window_.Takes(5));
}

TEST_F(LogWindowTest, TakesWhatIsOlderPageByPage) {
  window_.Prepend(8, Page(9, 10));
  window_.Prepend(4, Page(5, 8));

  EXPECT_EQ(SeqsOf(window_.Behind(4, kAll)), (Seqs{5, 6, 7, 8, 9, 10}));
}

TEST_F(LogWindowTest, CutsPagesToTheirLimits) {
  Append(window_, 11, 14, 100);

  const SharedPage by_events = window_.Behind(11, {2, LogWindow::kBytesLimit});
  const SharedPage by_bytes = window_.Behind(10, {500, 250});
  const SharedPage least = window_.Behind(10, {500, 1});

  EXPECT_EQ(SeqsOf(by_events), (Seqs{12, 13}));
  EXPECT_TRUE(by_events.more);
  EXPECT_EQ(SeqsOf(by_bytes), (Seqs{11, 12}));
  EXPECT_TRUE(by_bytes.more);
  EXPECT_EQ(SeqsOf(least), (Seqs{11}));
}

TEST_F(LogWindowTest, KeepsTheNewestEvents) {
  Append(window_, 11, 10 + static_cast<int64_t>(LogWindow::kEventsLimit));
  EXPECT_TRUE(window_.Covers(10));
  EXPECT_TRUE(window_.Takes(9));

  Append(window_, window_.last_seq() + 1, window_.last_seq() + 1);

  EXPECT_FALSE(window_.Covers(10));
  EXPECT_TRUE(window_.Covers(11));
  EXPECT_FALSE(window_.Takes(10));
}

TEST_F(LogWindowTest, KeepsTheNewestBytes) {
  Append(window_, 11, 13, LogWindow::kBytesLimit / 2);

  EXPECT_EQ(window_.first_seq(), 13);
  EXPECT_LE(window_.bytes(), LogWindow::kBytesLimit);
}

TEST_F(LogWindowTest, TakesOfAPageWhatFits) {
  LogWindow window(budget_, 2000, At(0));
  Append(window, 2001, 3000);

  window.Prepend(1900, Page(1901, 2000));

  EXPECT_EQ(window.first_seq(), 3001 - static_cast<int64_t>(LogWindow::kEventsLimit));
  EXPECT_FALSE(window.Takes(window.first_seq() - 2));
}

TEST_F(LogWindowTest, TakesNothingThatDoesNotReachIt) {
  window_.Prepend(2, Page(3, 7));

  EXPECT_EQ(window_.first_seq(), 11);
  EXPECT_FALSE(window_.Takes(6)) << "or everybody would read all of that for nothing";
  EXPECT_TRUE(window_.Takes(7));
  window_.Prepend(7, Page(8, 10));
  EXPECT_TRUE(window_.Covers(7));
  window_.Prepend(4, Page(5, 7));
  EXPECT_EQ(window_.first_seq(), 8);
}

TEST_F(LogWindowTest, KnowsThatNothingLiesBefore) {
  window_.Prepend(4, Page(9, 10));  // Retention has removed the others.

  EXPECT_TRUE(window_.Covers(8));
  EXPECT_FALSE(window_.Covers(4));
  EXPECT_FALSE(window_.Takes(7)) << "everybody who is that far behind would read the same again";

  LogWindow other(budget_, 10, At(0));
  other.Prepend(4, SharedPage());
  EXPECT_TRUE(other.Covers(10));
  EXPECT_FALSE(other.Takes(9));
}

TEST_F(LogWindowTest, BeginsAnewBehindAHole) {
  Append(window_, 11, 12);

  window_.Append(Message(20));

  EXPECT_FALSE(window_.Covers(12));
  EXPECT_EQ(SeqsOf(window_.Behind(19, kAll)), (Seqs{20}));
}

TEST_F(LogWindowTest, ForgetsAMessageAndWhatLiesBefore) {
  Append(window_, 11, 16);

  window_.ForgetMessage(13);
  EXPECT_EQ(window_.first_seq(), 14);
  window_.ForgetMessage(13);
  window_.ForgetMessage(3);

  EXPECT_EQ(SeqsOf(window_.Behind(13, kAll)), (Seqs{14, 15, 16}));
}

TEST_F(LogWindowTest, ForgetsEditsOfAMessageToo) {
  Append(window_, 11, 12);
  window_.Append(Edit(13, 4));
  window_.Append(Edit(14, 11));
  Append(window_, 15, 15);

  window_.ForgetMessage(4);

  EXPECT_EQ(SeqsOf(window_.Behind(13, kAll)), (Seqs{14, 15}));
}

TEST_F(LogWindowTest, TakesEverythingAgainWhenItHasForgotten) {
  window_.Prepend(2, Page(3, 7));
  Append(window_, 11, 12);

  window_.ForgetMessage(12);

  EXPECT_TRUE(window_.Takes(2));
  EXPECT_EQ(window_.first_seq(), 13);
}

TEST_F(LogWindowTest, ClearedItBeginsAtTheEnd) {
  Append(window_, 11, 12);

  window_.Clear();
  Append(window_, 13, 13);

  EXPECT_FALSE(window_.Covers(11));
  EXPECT_EQ(SeqsOf(window_.Behind(12, kAll)), (Seqs{13}));
}

TEST_F(LogWindowTest, KnowsTheNewestMemberListItWasReadWith) {
  SharedPage page = Page(9, 10);
  page.member_seq = 7;
  window_.Prepend(8, page);
  page = Page(6, 8);
  page.member_seq = 5;
  window_.Prepend(5, page);

  EXPECT_EQ(window_.Behind(8, kAll).member_seq, 7);
}

TEST_F(LogWindowTest, ClosesWhatWasNotReadForLongest) {
  WindowBudget budget(3 * LogWindow::kEventOverhead);
  LogWindow a(budget, 0, At(0));
  LogWindow b(budget, 0, At(0));
  Append(a, 1, 1);
  Append(b, 1, 1);
  budget.CloseExcess();
  EXPECT_TRUE(a.is_open() && b.is_open());
  a.Touch(At(1));

  Append(a, 2, 2);
  budget.CloseExcess();

  EXPECT_TRUE(a.is_open());
  EXPECT_FALSE(b.is_open());
  EXPECT_EQ(budget.bytes(), a.bytes());
  b.Append(Message(2));
  b.Prepend(0, Page(1, 1));
  b.Touch(At(2));
  EXPECT_FALSE(b.Covers(0));
  EXPECT_FALSE(b.Covers(1));
  EXPECT_EQ(budget.bytes(), a.bytes());
}

TEST_F(LogWindowTest, ClosesWhatNobodyReads) {
  LogWindow other(budget_, 0, At(0));
  window_.Touch(At(61));

  budget_.CloseUnread(At(60));

  EXPECT_TRUE(window_.is_open());
  EXPECT_FALSE(other.is_open());
}

TEST_F(LogWindowTest, GivesBackWhatItTook) {
  {
    LogWindow other(budget_, 0, At(0));
    Append(other, 1, 3);
    EXPECT_GT(budget_.bytes(), 3 * LogWindow::kEventOverhead);
    other.ForgetMessage(2);
    EXPECT_EQ(budget_.bytes(), other.bytes());
  }
  EXPECT_EQ(budget_.bytes(), 0u);
  EXPECT_FALSE(budget_.empty());
  window_.Close();
  EXPECT_TRUE(budget_.empty());
}

TEST(SharedPage, IsCutToItsLimits) {
  SharedPage page = Page(1, 4, 100);
  CutTo({4, 10'000}, page);
  EXPECT_FALSE(page.more);
  CutTo({3, 10'000}, page);
  EXPECT_THAT(SeqsOf(page), ElementsAre(1, 2, 3));
  EXPECT_TRUE(page.more);
  page.more = false;
  CutTo({3, 1}, page);
  EXPECT_THAT(SeqsOf(page), ElementsAre(1));
  EXPECT_TRUE(page.more);
}

}  // namespace
}  // namespace confab::control
