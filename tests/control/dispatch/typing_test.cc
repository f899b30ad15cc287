// Typing: to whom it is told, and who may.
#include <gmock/gmock.h>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::RoomId;
using storage::UserId;
using testing::Contains;
using testing::Not;

class TypingTest : public ControlBench {
 protected:
  v1::Result Type(TestEdge& edge, uint64_t connection, const std::string& user,
                  const std::string& room, bool is_typing = true) {
    EdgeCommand input = TestEdge::Ask(connection, user, ++requests_);
    input.command.mutable_set_typing()->set_room_id(room);
    input.command.mutable_set_typing()->set_is_typing(is_typing);
    return edge.Do(std::move(input));
  }

  // The connection that is spared, of each typing signal in order.
  static std::vector<uint64_t> Spared(const TestEdge& edge) {
    std::vector<uint64_t> spared;
    for (const v1::ControlItem& item : const_cast<TestEdge&>(edge).stream().items()) {
      if (item.broadcast().signal().has_typing()) {
        spared.push_back(item.broadcast().except_connection());
      }
    }
    return spared;
  }

  uint64_t requests_ = 0;
};

TEST_F(TypingTest, TellsEveryEdgeAndSparesTheConnectionOnItsOwnAlone) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge one(*dispatcher_, "e1");
  TestEdge two(*dispatcher_, "e2");
  one.DoJoin(7, "ann", "a");
  two.DoJoin(7, "bob", "a");

  EXPECT_EQ(WordOf(Type(one, 7, "ann", "a")), "ok");
  ASSERT_TRUE(one.stream().AwaitLine("signal room:a typing a ann true"));
  ASSERT_TRUE(two.stream().AwaitLine("signal room:a typing a ann true"));
  EXPECT_EQ(WordOf(Type(one, 7, "ann", "a", false)), "ok");
  ASSERT_TRUE(two.stream().AwaitLine("signal room:a typing a ann false"));

  EXPECT_THAT(Spared(one), testing::ElementsAre(7, 7));
  EXPECT_THAT(Spared(two), testing::ElementsAre(0, 0)) << "7 is somebody else there";
}

TEST_F(TypingTest, TellsNoMoreThanOncePerInterval) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");

  for (int i = 0; i < 5; ++i) EXPECT_EQ(WordOf(Type(edge, 1, "ann", "a")), "ok");

  EXPECT_EQ(Spared(edge).size(), 1u);
}

TEST_F(TypingTest, RefusesWhoMayNotPost) {
  MakeRoom("a", {"ann"});
  ASSERT_TRUE(Add("a", {"rea"}, storage::Role::kReader).ok());
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");

  EXPECT_EQ(WordOf(Type(edge, 2, "eve", "a")), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(Type(edge, 3, "rea", "a")), "FORBIDDEN");
  EXPECT_EQ(WordOf(Type(edge, 1, "ann", "none")), "ROOM_NOT_FOUND");
  EXPECT_EQ(WordOf(Type(edge, 1, "ann", "")), "BAD_REQUEST");

  EXPECT_THAT(edge.stream().lines(), Not(Contains(testing::StartsWith("signal"))));
}

TEST_F(TypingTest, EndsWithTheRightToType) {
  MakeRoom("a", {"ann", "bob", "eve"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  Type(edge, 2, "bob", "a");
  Type(edge, 3, "eve", "a");
  const auto mute = [&](const std::string& user) {
    Awaited<storage::MemberRecord> muted;
    dispatcher_->ChangeMember(RoomId("a"), {}, {PersonChange::Kind::kMute, UserId(user)}, Soon(),
                              muted.callback());
    return muted.Get().status();
  };

  ASSERT_TRUE(mute("bob").ok());
  ASSERT_TRUE(Remove("a", {"eve"}).ok());

  EXPECT_THAT(edge.stream().lines(), Contains("signal room:a typing a bob false"));
  EXPECT_THAT(edge.stream().lines(), Contains("signal room:a typing a eve false"));
  EXPECT_EQ(WordOf(Type(edge, 2, "bob", "a")), "MUTED");
  EXPECT_EQ(WordOf(Type(edge, 2, "bob", "a", false)), "ok");
}

TEST_F(TypingTest, StandsInNoLog) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  Type(edge, 1, "ann", "a");

  const auto page = List("a");

  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->events.size(), 1u) << "of her own membership";
}

}  // namespace
}  // namespace confab::control
