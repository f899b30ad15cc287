// Receipts: who is told how far a user has read, and how often.
#include <gmock/gmock.h>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::UserId;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class ReceiptTest : public ControlBench {
 protected:
  static OpenedConnection Opened(uint64_t connection, const std::string& user) {
    OpenedConnection opened;
    opened.connection = connection;
    opened.user = UserId(user);
    return opened;
  }
  v1::Result Mark(TestEdge& edge, uint64_t connection, const std::string& user, int64_t seq) {
    EdgeCommand input = TestEdge::Ask(connection, user, ++requests_);
    input.command.mutable_mark_read()->set_room_id("a");
    input.command.mutable_mark_read()->set_seq(seq);
    return edge.Do(std::move(input));
  }
  // The room "a" with these members, and five events behind theirs.
  void MakeLog(TestEdge& edge, const Users& members) {
    MakeRoom("a", members);
    for (int i = 0; i < 5; ++i) edge.DoPost(1, members.back(), "a", "x");
  }
  void OpenWithReceiptsFor(int32_t members) {
    dispatcher_.reset();
    store_.reset();
    DispatcherOptions options;
    options.lanes = 2;
    options.receipt_members = members;
    Open(options);
  }
  // Of the signal that says so; 0: none is.
  static uint64_t SparedOf(TestEdge& edge, const std::string& line) {
    for (const v1::ControlItem& item : edge.stream().items()) {
      if (LineOf(item) == line) return item.broadcast().except_connection();
    }
    return 0;
  }

  uint64_t requests_ = 0;
};

TEST_F(ReceiptTest, TellsASmallRoomAndEachDeviceOfTheUserOnce) {
  TestEdge one(*dispatcher_, "e1");
  TestEdge two(*dispatcher_, "e2");
  TestEdge three(*dispatcher_, "e3");
  one.Send(Opened(1, "ann"), Opened(2, "ann"));
  two.Send(Opened(1, "bob"), Opened(2, "ann"));
  three.Send(Opened(1, "ann"), Opened(2, "eve"));
  MakeLog(one, {"ann", "bob"});
  one.DoJoin(1, "ann", "a");
  two.DoJoin(1, "bob", "a");

  ASSERT_EQ(Mark(one, 1, "ann", 4).mark_read().seq(), 4);

  ASSERT_TRUE(one.stream().AwaitLine("signal room:a,user:ann read a ann 4"));
  ASSERT_TRUE(two.stream().AwaitLine("signal room:a,user:ann read a ann 4"));
  ASSERT_TRUE(three.stream().AwaitLine("signal user:ann read a ann 4"));
  EXPECT_EQ(SparedOf(one, "signal room:a,user:ann read a ann 4"), 1u);
  EXPECT_EQ(SparedOf(two, "signal room:a,user:ann read a ann 4"), 0u);
  EXPECT_THAT(one.stream().lines(), Not(Contains("signal user:ann read a ann 4")));
  EXPECT_THAT(two.stream().lines(), Not(Contains("signal user:ann read a ann 4")));
}

TEST_F(ReceiptTest, TellsALargerRoomNothingAndTheUsersDevicesAllTheSame) {
  OpenWithReceiptsFor(2);
  TestEdge one(*dispatcher_, "e1");
  TestEdge two(*dispatcher_, "e2");
  two.Send(Opened(9, "ann"));
  MakeLog(one, {"ann", "bob", "eve"});
  one.DoJoin(2, "bob", "a");

  Mark(one, 1, "ann", 5);
  ASSERT_TRUE(two.stream().AwaitLine("signal user:ann read a ann 5"));
  ASSERT_TRUE(Remove("a", {"eve"}).ok());
  Mark(one, 1, "ann", 6);

  ASSERT_TRUE(one.stream().AwaitLine("signal room:a,user:ann read a ann 6"));
  EXPECT_THAT(one.stream().lines(), Not(Contains(HasSubstr("read a ann 5"))));
}

TEST_F(ReceiptTest, TellsOfMovesAloneAndOfSeveralTheLast) {
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(1, "ann"), Opened(2, "ann"), Opened(3, "bob"), Opened(4, "bob"));
  MakeLog(edge, {"ann", "bob"});

  for (const int64_t seq : {3, 4, 6, 5}) Mark(edge, 1, "ann", seq);
  ASSERT_TRUE(edge.stream().AwaitLine("signal user:ann read a ann 6"));
  Mark(edge, 1, "ann", 6);
  Mark(edge, 3, "bob", 7);
  ASSERT_TRUE(edge.stream().AwaitLine("signal user:bob read a bob 7"));

  std::vector<std::string> told;
  for (const std::string& line : edge.stream().lines()) {
    if (line.starts_with("signal user:ann")) told.push_back(line);
  }
  EXPECT_LE(told.size(), 2u) << "four moves, one or two intervals";
  EXPECT_EQ(told.back(), "signal user:ann read a ann 6") << "what moved nothing is not told";
}

TEST_F(ReceiptTest, TellsNothingOfWhoHasBeenRemoved) {
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(1, "ann"), Opened(2, "ann"), Opened(3, "bob"), Opened(4, "bob"));
  MakeLog(edge, {"ann", "bob"});
  edge.DoJoin(3, "bob", "a");

  Mark(edge, 1, "ann", 5);
  ASSERT_TRUE(Remove("a", {"ann"}).ok());
  Mark(edge, 3, "bob", 8);

  ASSERT_TRUE(edge.stream().AwaitLine("signal room:a,user:bob read a bob 8"));
  EXPECT_THAT(edge.stream().lines(), Not(Contains(HasSubstr("read a ann"))));
}

}  // namespace
}  // namespace confab::control
