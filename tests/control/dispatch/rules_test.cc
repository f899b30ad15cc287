// Bans, mutes, archives and the like as edges and services see them, and what is recorded of them.
#include <gmock/gmock.h>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::Role;
using storage::RoomId;
using storage::UserId;
using testing::ElementsAre;
using Kind = PersonChange::Kind;

class RulesTest : public ControlBench {
 protected:
  RulesTest() {
    MakeRoom("a", {"bob", "cid"}, true);
    Add("a", {"mod"}, Role::kModerator).IgnoreError();
    Add("a", {"own"}, Role::kOwner).IgnoreError();  // Seq 4.
  }

  EdgeCommand Ask(const std::string& user) {
    ++asked_;
    return TestEdge::Ask(100 + asked_, user, asked_);
  }
  v1::ChangeMember& Change(EdgeCommand& ask, const std::string& user) {
    v1::ChangeMember& change = *ask.command.mutable_change_member();
    change.set_room_id("a");
    change.set_user_id(user);
    return change;
  }
  v1::Result Ban(const std::string& actor, const std::string& user, uint32_t seconds = 0) {
    EdgeCommand ask = Ask(actor);
    Change(ask, user).mutable_ban()->set_seconds(seconds);
    return edge_.Do(std::move(ask));
  }
  v1::Result Mute(const std::string& actor, const std::string& user, uint32_t seconds = 0) {
    EdgeCommand ask = Ask(actor);
    Change(ask, user).mutable_mute()->set_seconds(seconds);
    return edge_.Do(std::move(ask));
  }
  v1::Result Update(const std::string& actor, const v1::RoomChanges& changes) {
    EdgeCommand ask = Ask(actor);
    ask.command.mutable_update_room()->set_room_id("a");
    *ask.command.mutable_update_room()->mutable_changes() = changes;
    return edge_.Do(std::move(ask));
  }
  v1::Result Archive(const std::string& actor, bool is_archived) {
    v1::RoomChanges changes;
    changes.set_is_archived(is_archived);
    return Update(actor, changes);
  }
  // "who act user result seq", oldest first; those whose event or refusal is stored by now.
  Lines Audited(size_t count) {
    Lines lines;
    const auto end = std::chrono::steady_clock::now() + kLong;
    while (lines.size() < count && std::chrono::steady_clock::now() < end) {
      lines.clear();
      const auto records = store_->ListAudit({.room = RoomId("a")});
      for (auto it = records->rbegin(); it != records->rend(); ++it) {
        lines.push_back(it->actor.value + " " + it->note.act + " " + it->subject.value + " " +
                        it->result + " " + std::to_string(it->seq));
      }
    }
    return lines;
  }

  TestEdge edge_{*dispatcher_, "e1"};
  uint64_t asked_ = 0;
};

TEST_F(RulesTest, ABanIsTheLastThatItsUserGetsAndRefusesHim) {
  TestEdge other(*dispatcher_, "e2");
  edge_.DoJoin(1, "bob", "a");
  other.DoJoin(2, "bob", "a");
  const size_t before = edge_.stream().size();
  const size_t before_other = other.stream().size();

  const v1::Result result = Ban("mod", "bob", 60);

  ASSERT_EQ(WordOf(result), "ok");
  EXPECT_EQ(result.change_member().role(), v1::ROLE_UNSPECIFIED);
  EXPECT_TRUE(result.change_member().banned().has_until());
  EXPECT_THAT(edge_.stream().LinesFrom(before),
              ElementsAre("member_banned 5 bob", "unsubscribe room:a user bob 5", "result 1 ok"));
  other.DoPost(3, "cid", "a", "fence");  // What the ban caused has come by then.
  Lines lines = other.stream().LinesFrom(before_other);
  lines.resize(2);
  EXPECT_THAT(lines, ElementsAre("member_banned 5 bob", "unsubscribe room:a user bob 5"));
  const v1::Result refused = edge_.DoJoin(1, "bob", "a");
  EXPECT_EQ(WordOf(refused), "BANNED");
  EXPECT_GT(refused.error().retry_after_ms(), 50'000u);
  EXPECT_EQ(WordOf(edge_.DoPost(1, "bob", "a", "let me")), "BANNED");
}

TEST_F(RulesTest, AddingWithoutARoleLeavesAMemberAsHeIs) {
  const auto add = [&](const std::string& user) {
    EdgeCommand ask = Ask("own");
    Change(ask, user).set_add(v1::ROLE_UNSPECIFIED);
    return edge_.Do(std::move(ask)).change_member().role();
  };

  EXPECT_EQ(add("mod"), v1::ROLE_MODERATOR);
  EXPECT_EQ(add("own"), v1::ROLE_OWNER);
  EXPECT_EQ(add("new"), v1::ROLE_MEMBER);
}

TEST_F(RulesTest, ABanHoldsAfterARestartUntilItIsLifted) {
  ASSERT_EQ(WordOf(Ban("mod", "bob")), "ok");
  edge_.Detach();
  Restart();
  TestEdge edge(*dispatcher_, "e1", 2);

  EXPECT_EQ(WordOf(edge.DoJoin(1, "bob", "a")), "BANNED");
  Awaited<storage::MemberRecord> lifted;
  dispatcher_->ChangeMember(RoomId("a"), {}, {Kind::kUnban, UserId("bob")}, Soon(),
                            lifted.callback());
  ASSERT_TRUE(lifted.Get().ok());
  EXPECT_EQ(WordOf(edge.DoJoin(1, "bob", "a")), "ok");  // A public room.
}

TEST_F(RulesTest, AMutedMemberReadsAndDoesNotPost) {
  ASSERT_EQ(WordOf(Mute("mod", "bob", 60)), "ok");

  EXPECT_EQ(WordOf(edge_.DoJoin(1, "bob", "a")), "ok");
  const v1::Result refused = edge_.DoPost(1, "bob", "a", "hm");
  EXPECT_EQ(WordOf(refused), "MUTED");
  EXPECT_GT(refused.error().retry_after_ms(), 50'000u);
  EXPECT_FALSE(refused.error().retryable());
  EdgeCommand ask = Ask("mod");
  Change(ask, "bob").mutable_unmute();
  EXPECT_FALSE(edge_.Do(std::move(ask)).change_member().has_muted());
  EXPECT_EQ(WordOf(edge_.DoPost(1, "bob", "a", "thanks")), "ok");
}

TEST_F(RulesTest, AnArchivedRoomIsOnlyRead) {
  edge_.DoJoin(1, "bob", "a");
  const size_t before = edge_.stream().size();

  const v1::Result archived = Archive("own", true);

  ASSERT_EQ(WordOf(archived), "ok");
  EXPECT_TRUE(archived.room().is_archived());
  EXPECT_EQ(archived.room().last_seq(), 5);
  EXPECT_THAT(edge_.stream().LinesFrom(before),
              ElementsAre("room_updated 5 isArchived", "result 1 ok"));
  EXPECT_EQ(WordOf(edge_.DoPost(1, "bob", "a", "hm")), "ROOM_ARCHIVED");
  EXPECT_EQ(WordOf(edge_.DoPost(1, "own", "a", "hm")), "ROOM_ARCHIVED");
  EXPECT_EQ(WordOf(edge_.DoJoin(1, "new", "a")), "ROOM_ARCHIVED");
  EXPECT_EQ(WordOf(edge_.DoJoin(1, "bob", "a")), "ok");
  EXPECT_TRUE(PostAsSystem("a", "closed").ok());
  EXPECT_EQ(WordOf(Archive("own", false)), "ok");
  EXPECT_EQ(WordOf(edge_.DoPost(1, "bob", "a", "back")), "ok");
}

TEST_F(RulesTest, ReadOnlyAndSlowModeHoldAtOnce) {
  v1::RoomChanges changes;
  changes.set_is_read_only(true);
  ASSERT_EQ(WordOf(Update("mod", changes)), "ok");
  EXPECT_EQ(WordOf(edge_.DoPost(1, "bob", "a", "hm")), "ROOM_READ_ONLY");
  EXPECT_EQ(WordOf(edge_.DoPost(2, "mod", "a", "news")), "ok");

  changes.set_is_read_only(false);
  changes.set_slow_mode_seconds(3600);
  ASSERT_EQ(WordOf(Update("mod", changes)), "ok");
  EXPECT_EQ(WordOf(edge_.DoPost(1, "bob", "a", "one", "k1")), "ok");
  const v1::Result slow = edge_.DoPost(1, "bob", "a", "two", "k2");
  EXPECT_EQ(WordOf(slow), "SLOW_MODE");
  EXPECT_TRUE(slow.error().retryable());
  EXPECT_GT(slow.error().retry_after_ms(), 3'500'000u);
  EXPECT_EQ(WordOf(edge_.DoPost(1, "bob", "a", "one", "k1")), "ok");  // The same message.
}

TEST_F(RulesTest, ShowsModeratorsWhoIsBanned) {
  Ban("mod", "bob");
  const auto ask = [&](const std::string& user) {
    EdgeCommand list = Ask(user);
    list.command.mutable_list_members()->set_room_id("a");
    list.command.mutable_list_members()->set_is_of_banned(true);
    return edge_.Do(std::move(list));
  };

  EXPECT_EQ(WordOf(ask("cid")), "FORBIDDEN");
  const v1::Result banned = ask("mod");
  ASSERT_EQ(banned.members().members_size(), 1);
  EXPECT_EQ(banned.members().members(0).user_id(), "bob");
}

TEST_F(RulesTest, RecordsWhatIsDoneAndWhatIsRefused) {
  Ban("cid", "bob");
  Ban("mod", "bob");
  Ban("mod", "bob");  // As it is.
  Archive("mod", true);
  edge_.DoJoin(1, "bob", "a");  // No administrative act.
  Asker shop{{}, "shop", "r-1"};
  Awaited<MembersChanged> added;
  dispatcher_->AddMembers(RoomId("a"), shop, {{UserId("dan"), Role::kMember}}, Soon(),
                          added.callback());
  ASSERT_TRUE(added.Get().ok());

  EXPECT_THAT(Audited(6), testing::UnorderedElementsAre(
                              " member.add mod OK 3", " member.add own OK 4",
                              "cid member.ban bob FORBIDDEN 0", "mod member.ban bob OK 5",
                              "mod room.update  FORBIDDEN 0", " member.add dan OK 6"));
}

TEST_F(RulesTest, AServiceThatPostsAsAMutedUserIsRefused) {
  Mute("mod", "bob");
  ServicePost post;
  post.room = RoomId("a");
  post.service = "shop";
  post.content = "hello";
  post.sender = storage::Actor{UserId("bob"), "", ""};
  Awaited<PostedMessage> answer;

  dispatcher_->PostAsService(std::move(post), Soon(), answer.callback());

  EXPECT_EQ(answer.Get().status().message(), "you are muted in this room");
}

}  // namespace
}  // namespace confab::control
