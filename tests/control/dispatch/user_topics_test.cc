// The topics that connections have by themselves: which edges are told what.
#include <gmock/gmock.h>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::UserId;
using testing::Contains;
using testing::Not;

class UserTopicsTest : public ControlBench {
 protected:
  static OpenedConnection Opened(uint64_t connection, const std::string& user) {
    OpenedConnection opened;
    opened.connection = connection;
    opened.user = UserId(user);
    return opened;
  }
  static ClosedConnection Closed(uint64_t connection, const std::string& user) {
    ClosedConnection closed;
    closed.connection = connection;
    closed.user = UserId(user);
    return closed;
  }
};

TEST_F(UserTopicsTest, TellsAUsersEdgesOfAMembership) {
  TestEdge one(*dispatcher_, "e1");
  TestEdge two(*dispatcher_, "e2");
  one.Send(Opened(1, "ann"), Opened(2, "ann"));
  two.Send(Opened(1, "bob"));
  MakeRoom("a", {"eve"});

  ASSERT_TRUE(Add("a", {"ann"}).ok());
  ASSERT_TRUE(one.stream().AwaitLine("member user:ann a"));
  ASSERT_TRUE(Add("a", {"bob"}).ok());

  ASSERT_TRUE(two.stream().AwaitLine("member user:bob a"));
  EXPECT_THAT(two.stream().lines(), Not(Contains("member user:ann a")));
  EXPECT_EQ(one.stream().size(), 1u) << "once an edge, not once a connection";
}

TEST_F(UserTopicsTest, TellsTheFirstMembersOfANewRoom) {
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(1, "ann"));

  MakeRoom("a", {"ann", "bob"});

  EXPECT_TRUE(edge.stream().AwaitLine("member user:ann a"));
}

TEST_F(UserTopicsTest, TellsNothingOnceTheUserHasGone) {
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(1, "ann"), Opened(2, "bob"), Closed(1, "ann"));
  MakeRoom("a", {"eve"});

  ASSERT_TRUE(Add("a", {"ann"}).ok());
  ASSERT_TRUE(Add("a", {"bob"}).ok());

  ASSERT_TRUE(edge.stream().AwaitLine("member user:bob a"));
  EXPECT_EQ(edge.stream().size(), 1u);
}

TEST_F(UserTopicsTest, KnowsTheUsersOfAnEdgeThatComesBack) {
  EdgeAnnouncement hello;
  hello.edge_id = "e1";
  hello.epoch = 1;
  hello.connections.push_back(Opened(7, "ann"));
  auto stream = std::make_shared<RecordingEdgeStream>();
  const auto attachment = dispatcher_->Attach(std::move(hello), stream);
  ASSERT_TRUE(attachment.ok());
  MakeRoom("a", {"eve"});

  ASSERT_TRUE(Add("a", {"ann"}).ok());

  EXPECT_TRUE(stream->AwaitLine("member user:ann a"));
  dispatcher_->Detach(*attachment);
}

}  // namespace
}  // namespace confab::control
