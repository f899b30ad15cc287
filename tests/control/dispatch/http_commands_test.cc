// The commands that come from HTTP requests: rooms, becoming a member and ceasing to be one, lists,
// publishing.
#include <gmock/gmock.h>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::EventKind;
using storage::Role;
using storage::UserId;
using testing::ElementsAre;
using testing::IsEmpty;

class HttpCommandsTest : public ControlBench {
 protected:
  // Each request is a connection of its own.
  EdgeCommand Ask(const std::string& user) {
    ++asked_;
    return TestEdge::Ask(100 + asked_, user, asked_);
  }

  v1::Result Create(const std::string& user, const std::string& room,
                    v1::RoomVisibility visibility = v1::ROOM_VISIBILITY_UNSPECIFIED) {
    EdgeCommand ask = Ask(user);
    ask.command.mutable_create_room()->set_room_id(room);
    ask.command.mutable_create_room()->set_visibility(visibility);
    return edge_.Do(std::move(ask));
  }
  v1::Result Get(const std::string& user, const std::string& room) {
    EdgeCommand ask = Ask(user);
    ask.command.mutable_get_room()->set_room_id(room);
    return edge_.Do(std::move(ask));
  }
  v1::Result Enroll(const std::string& user, const std::string& room) {
    EdgeCommand ask = Ask(user);
    ask.command.mutable_become_member()->set_room_id(room);
    return edge_.Do(std::move(ask));
  }
  v1::Result Quit(const std::string& user, const std::string& room) {
    EdgeCommand ask = Ask(user);
    ask.command.mutable_quit_room()->set_room_id(room);
    return edge_.Do(std::move(ask));
  }
  v1::Result Members(const std::string& user, const std::string& room, uint32_t size = 0,
                     const std::string& token = "") {
    EdgeCommand ask = Ask(user);
    ask.command.mutable_list_members()->set_room_id(room);
    ask.command.mutable_list_members()->set_page_size(size);
    ask.command.mutable_list_members()->set_page_token(token);
    return edge_.Do(std::move(ask));
  }
  v1::Result Rooms(const std::string& user, uint32_t size = 0, const std::string& token = "") {
    EdgeCommand ask = Ask(user);
    ask.command.mutable_list_rooms()->set_page_size(size);
    ask.command.mutable_list_rooms()->set_page_token(token);
    return edge_.Do(std::move(ask));
  }
  EdgeCommand Publish(const std::string& room, const std::string& content,
                      const std::string& key = "") {
    EdgeCommand ask = Ask("");
    ask.service = "svc";
    ask.command.mutable_publish()->set_room_id(room);
    ask.command.mutable_publish()->set_content(content);
    ask.command.mutable_publish()->set_idempotency_key(key);
    return ask;
  }

  TestEdge edge_{*dispatcher_, "e1"};
  uint64_t asked_ = 0;
};

std::vector<std::string> IdsOf(const v1::RoomPage& page) {
  std::vector<std::string> ids;
  for (const v1::Room& room : page.rooms()) ids.push_back(room.id());
  return ids;
}

std::vector<std::string> IdsOf(const v1::MemberPage& page) {
  std::vector<std::string> ids;
  for (const v1::Member& member : page.members()) ids.push_back(member.user_id());
  return ids;
}

TEST_F(HttpCommandsTest, MakesTheCreatorOfARoomItsOwner) {
  EdgeCommand ask = Ask("ann");
  v1::CreateRoom& create = *ask.command.mutable_create_room();
  create.set_room_id("a");
  create.set_topic("tea");
  create.set_visibility(v1::ROOM_VISIBILITY_PUBLIC);
  create.add_members()->set_user_id("bob");
  create.add_members()->set_user_id("ann");  // The owner all the same.
  create.mutable_members(1)->set_role(v1::ROLE_READER);

  const v1::Result result = edge_.Do(std::move(ask));

  ASSERT_EQ(WordOf(result), "ok");
  EXPECT_EQ(result.room().id(), "a");
  EXPECT_EQ(result.room().topic(), "tea");
  EXPECT_EQ(result.room().visibility(), v1::ROOM_VISIBILITY_PUBLIC);
  EXPECT_EQ(result.room().last_seq(), 2);
  const v1::MemberPage members = Members("bob", "a").members();
  ASSERT_THAT(IdsOf(members), ElementsAre("ann", "bob"));
  EXPECT_EQ(members.members(0).role(), v1::ROLE_OWNER);
  EXPECT_EQ(members.members(1).role(), v1::ROLE_MEMBER);
  EXPECT_EQ(List("a")->events[0].event.actor.id, UserId("ann"));
}

TEST_F(HttpCommandsTest, ChoosesAnIdForARoomWithoutOne) {
  const v1::Result first = Create("ann", "");
  const v1::Result second = Create("ann", "");
  EXPECT_EQ(first.room().id().size(), 36u);
  EXPECT_NE(first.room().id(), second.room().id());
}

TEST_F(HttpCommandsTest, RefusesRoomsThatCannotBe) {
  Create("ann", "a");
  EXPECT_EQ(WordOf(Create("bob", "a")), "ROOM_EXISTS");
  EXPECT_EQ(WordOf(Create("bob", std::string(129, 'x'))), "BAD_REQUEST");
  EXPECT_EQ(WordOf(Create("bob", "b", static_cast<v1::RoomVisibility>(9))), "BAD_REQUEST");
  EXPECT_EQ(WordOf(Create("", "b")), "BAD_REQUEST");
  EdgeCommand ask = Ask("ann");
  ask.command.mutable_create_room()->add_members()->set_role(static_cast<v1::Role>(9));
  ask.command.mutable_create_room()->mutable_members(0)->set_user_id("bob");
  EXPECT_EQ(WordOf(edge_.Do(std::move(ask))), "BAD_REQUEST");
}

TEST_F(HttpCommandsTest, ShowsAPrivateRoomToMembersOnly) {
  MakeRoom("private", {"ann", "bob"});
  MakeRoom("public", {"ann"}, true);

  EXPECT_EQ(Get("ann", "private").room().member_count(), 2);
  EXPECT_EQ(WordOf(Get("eve", "private")), "NOT_A_MEMBER");
  EXPECT_EQ(Get("eve", "public").room().member_count(), 1);
  EXPECT_EQ(WordOf(Get("ann", "none")), "ROOM_NOT_FOUND");
  EXPECT_EQ(WordOf(Get("", "private")), "BAD_REQUEST");
}

TEST_F(HttpCommandsTest, ListsMembersToMembersOnly) {
  MakeRoom("a", {"ann", "bob", "cy"}, true);

  const v1::Result first = Members("ann", "a", 2);
  EXPECT_THAT(IdsOf(first.members()), ElementsAre("ann", "bob"));
  EXPECT_EQ(first.members().next_page_token(), "bob");
  const v1::Result last = Members("ann", "a", 2, "bob");
  EXPECT_THAT(IdsOf(last.members()), ElementsAre("cy"));
  EXPECT_EQ(last.members().next_page_token(), "");

  EXPECT_EQ(WordOf(Members("eve", "a")), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(Members("eve", "none")), "ROOM_NOT_FOUND");
  RemoveDirectly("a", "bob");
  EXPECT_EQ(WordOf(Members("bob", "a")), "NOT_A_MEMBER");
}

TEST_F(HttpCommandsTest, ListsTheRoomsOfTheUserAlone) {
  MakeRoom("a", {"ann"});
  MakeRoom("b", {"bob"}, true);
  MakeRoom("c", {"ann", "bob"});

  EXPECT_THAT(IdsOf(Rooms("ann").rooms()), ElementsAre("a", "c"));
  const v1::RoomPage page = Rooms("ann", 1).rooms();
  EXPECT_THAT(IdsOf(page), ElementsAre("a"));
  EXPECT_THAT(IdsOf(Rooms("ann", 1, page.next_page_token()).rooms()), ElementsAre("c"));
  EXPECT_THAT(IdsOf(Rooms("eve").rooms()), IsEmpty());
  EXPECT_EQ(WordOf(Rooms("")), "BAD_REQUEST");  // Not all rooms there are.
}

TEST_F(HttpCommandsTest, MakesAMemberOfWhoJoinsAPublicRoom) {
  MakeRoom("a", {"ann"}, true);

  const v1::Result joined = Enroll("bob", "a");

  ASSERT_EQ(WordOf(joined), "ok");
  EXPECT_EQ(joined.become_member().room_id(), "a");
  EXPECT_EQ(joined.become_member().role(), v1::ROLE_MEMBER);
  EXPECT_EQ(joined.become_member().last_seq(), 2);
  EXPECT_EQ(WordOf(edge_.DoPost(1, "bob", "a", "hi")), "ok");
  // Again: nothing happens.
  EXPECT_EQ(Enroll("bob", "a").become_member().role(), v1::ROLE_MEMBER);
  EXPECT_EQ(List("a")->events.size(), 3u);
}

TEST_F(HttpCommandsTest, LetsNobodyIntoAPrivateRoom) {
  MakeRoom("a", {"ann"});
  EXPECT_EQ(WordOf(Enroll("eve", "a")), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(Enroll("eve", "none")), "ROOM_NOT_FOUND");
  EXPECT_EQ(WordOf(Enroll("", "a")), "BAD_REQUEST");
  EXPECT_EQ(WordOf(Enroll("ann", "a")), "ok");
  EXPECT_EQ(List("a")->events.size(), 1u);
}

TEST_F(HttpCommandsTest, TellsTheRoomWhoJoinsAndLeavesBeforeTheAnswer) {
  MakeRoom("a", {"ann"}, true);
  edge_.DoJoin(1, "ann", "a");
  const size_t before = edge_.stream().size();

  Enroll("bob", "a");
  Quit("bob", "a");

  EXPECT_THAT(edge_.stream().LinesFrom(before),
              ElementsAre("member_added 2 bob", "result 1 ok", "member_removed 3 bob",
                          testing::StartsWith("unsubscribe"), "result 2 ok"));
}

TEST_F(HttpCommandsTest, EndsWhatAMemberWhoQuitsMayDo) {
  MakeRoom("a", {"ann", "bob"});
  edge_.DoJoin(1, "bob", "a");

  ASSERT_EQ(WordOf(Quit("bob", "a")), "ok");

  EXPECT_EQ(WordOf(edge_.DoPost(1, "bob", "a", "still here?")), "NOT_A_MEMBER");
  EXPECT_EQ(List("a")->events.back().event.kind, EventKind::kMemberRemoved);
  // Again, and for who never was one: the same answer, and nothing happens.
  EXPECT_EQ(WordOf(Quit("bob", "a")), "ok");
  EXPECT_EQ(WordOf(Quit("eve", "a")), "ok");
  EXPECT_EQ(WordOf(Quit("eve", "none")), "ROOM_NOT_FOUND");
  EXPECT_EQ(List("a")->events.size(), 3u);
  EXPECT_EQ(WordOf(Enroll("bob", "a")), "NOT_A_MEMBER");
}

TEST_F(HttpCommandsTest, PublishesAsTheSystemOrAsAMember) {
  MakeRoom("a", {"ann"});

  ASSERT_EQ(WordOf(edge_.Do(Publish("a", "news"))), "ok");
  EdgeCommand as_ann = Publish("a", "for ann");
  as_ann.command.mutable_publish()->mutable_sender()->set_id("ann");
  ASSERT_EQ(WordOf(edge_.Do(std::move(as_ann))), "ok");

  const auto events = List("a")->events;
  EXPECT_EQ(events[1].event.type, "system");
  EXPECT_EQ(events[2].event.actor.id, UserId("ann"));
  EdgeCommand as_eve = Publish("a", "for eve");
  as_eve.command.mutable_publish()->mutable_sender()->set_id("eve");
  EXPECT_EQ(WordOf(edge_.Do(std::move(as_eve))), "NOT_A_MEMBER");
  EdgeCommand as_nobody = Publish("a", "for whom?");
  as_nobody.command.mutable_publish()->mutable_sender()->set_name("Nobody");
  EXPECT_EQ(WordOf(edge_.Do(std::move(as_nobody))), "BAD_REQUEST");
}

TEST_F(HttpCommandsTest, PublishesOnceForOneKey) {
  MakeRoom("a", {"ann"});
  const v1::Result first = edge_.Do(Publish("a", "news", "k"));
  const v1::Result again = edge_.Do(Publish("a", "news", "k"));
  EXPECT_EQ(again.post_message().message_id(), first.post_message().message_id());
  // Without a key: the edge may send the same request again.
  EdgeCommand same = Publish("a", "more");
  const v1::Result third = edge_.Do(EdgeCommand(same));
  edge_.Detach();
  TestEdge back(*dispatcher_, "e1");
  const v1::Result fourth = back.Do(std::move(same));
  EXPECT_EQ(third.post_message().message_id(), fourth.post_message().message_id());
  EXPECT_EQ(List("a")->events.size(), 3u);
}

TEST_F(HttpCommandsTest, PublishesForNobodyWithoutAService) {
  MakeRoom("a", {"ann"});
  EdgeCommand publish = Publish("a", "news");
  publish.service.clear();
  EXPECT_EQ(WordOf(edge_.Do(std::move(publish))), "BAD_REQUEST");
}

TEST_F(HttpCommandsTest, AnswersReadsWhenTheStoreDoesNot) {
  MakeRoom("a", {"ann"});
  dispatcher_->Stop();
  EXPECT_EQ(WordOf(Get("ann", "a")), "UNAVAILABLE");
  EXPECT_EQ(WordOf(Rooms("ann")), "UNAVAILABLE");
}

}  // namespace
}  // namespace confab::control
