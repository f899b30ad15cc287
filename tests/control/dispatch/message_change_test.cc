// Edits and deletions: who may, who is told, what history shows.
#include <gmock/gmock.h>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::Role;
using storage::RoomId;
using storage::StoreCall;
using testing::ElementsAre;

class MessageChangeTest : public ControlBench {
 protected:
  static EdgeCommand Edit(const std::string& user, uint64_t request, const std::string& message,
                          const std::string& content) {
    EdgeCommand input = TestEdge::Ask(1, user, request);
    v1::EditMessage& edit = *input.command.mutable_edit_message();
    edit.set_room_id("a");
    edit.set_message_id(message);
    edit.set_content(content);
    return input;
  }
  static EdgeCommand Delete(const std::string& user, uint64_t request, const std::string& message) {
    EdgeCommand input = TestEdge::Ask(1, user, request);
    input.command.mutable_delete_message()->set_room_id("a");
    input.command.mutable_delete_message()->set_message_id(message);
    return input;
  }
  // Ann, bob and the moderator mo; ann's message, which is seq 4. Its id.
  std::string MakeRoomWithMessage(TestEdge& edge) {
    MakeRoom("a", {"ann", "bob"});
    EXPECT_TRUE(Add("a", {"mo"}, Role::kModerator).ok());
    return edge.DoPost(1, "ann", "a", "before").post_message().message_id();
  }
};

TEST_F(MessageChangeTest, TellsSubscribersBeforeItAnswersTheEditor) {
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = MakeRoomWithMessage(edge);
  edge.DoJoin(1, "ann", "a");
  const size_t before = edge.stream().size();

  const v1::Result edited = edge.Do(Edit("ann", 8, id, "after"));
  const v1::Result deleted = edge.Do(Delete("ann", 9, id));

  EXPECT_EQ(edited.edit_message().message_id(), id);
  EXPECT_EQ(edited.edit_message().seq(), 5);
  EXPECT_GT(edited.edit_message().created_at().seconds(), 0);
  EXPECT_EQ(deleted.delete_message().seq(), 6);
  EXPECT_THAT(edge.stream().LinesFrom(before),
              ElementsAre("edited 5 4 after", "result 8 ok", "deleted 6 4", "result 9 ok"));
}

TEST_F(MessageChangeTest, LetsSendersAndModeratorsChangeMessages) {
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = MakeRoomWithMessage(edge);
  ASSERT_TRUE(Add("a", {"rea"}, Role::kReader).ok());

  EXPECT_EQ(WordOf(edge.Do(Edit("bob", 1, id, "x"))), "FORBIDDEN");
  EXPECT_EQ(WordOf(edge.Do(Delete("bob", 2, id))), "FORBIDDEN");
  EXPECT_EQ(WordOf(edge.Do(Delete("rea", 3, id))), "FORBIDDEN");
  EXPECT_EQ(WordOf(edge.Do(Edit("eve", 4, id, "x"))), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(edge.Do(Edit("mo", 5, id, "moderated"))), "ok");
  EXPECT_EQ(WordOf(edge.Do(Edit("ann", 6, id, "mine"))), "ok");
  EXPECT_EQ(WordOf(edge.Do(Delete("mo", 7, id))), "ok");
  EXPECT_EQ(WordOf(edge.Do(Edit("ann", 8, id, "too late"))), "MESSAGE_NOT_FOUND");
  EXPECT_EQ(WordOf(edge.Do(Delete("mo", 9, id))), "MESSAGE_NOT_FOUND");
}

TEST_F(MessageChangeTest, RecordsWhatIsDoneToMessagesOfOthers) {
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = MakeRoomWithMessage(edge);
  const std::string own = edge.DoPost(1, "mo", "a", "own").post_message().message_id();
  const auto of_messages = [&] {
    std::vector<std::string> lines;
    const auto records = store_->ListAudit({.room = RoomId("a")});
    for (const storage::AuditRecord& record : *records) {
      if (!record.note.act.starts_with("message.")) continue;
      lines.push_back(record.actor.value + " " + record.note.act + " " + record.subject.value +
                      " " + record.result);
    }
    return lines;
  };

  edge.Do(Edit("ann", 1, id, "mine"));
  edge.Do(Edit("bob", 2, id, "not his"));
  edge.Do(Edit("mo", 3, own, "his"));
  edge.Do(Edit("mo", 4, id, "moderated"));
  Awaited<PostedMessage> answer;
  ServiceChange deletion;
  deletion.room = RoomId("a");
  deletion.message_id = id;
  deletion.is_deletion = true;
  deletion.asker = {{}, "shop", "r7"};
  dispatcher_->ChangeMessage(std::move(deletion), Soon(), answer.callback());
  ASSERT_TRUE(answer.Get().ok());

  EXPECT_THAT(of_messages(), ElementsAre(" message.delete ann OK", "mo message.edit ann OK"));
  EXPECT_EQ(store_->ListAudit({.room = RoomId("a")})->at(0).note.service, "shop");
}

TEST_F(MessageChangeTest, ShowsReadersWhatMessagesSayNow) {
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = MakeRoomWithMessage(edge);
  edge.Do(Edit("ann", 1, id, "first"));
  edge.Do(Edit("mo", 2, id, "second"));

  const v1::HistoryPage page = edge.Do(TestEdge::History(1, "bob", 3, "a")).history();

  ASSERT_EQ(page.events_size(), 6);
  EXPECT_EQ(page.events(3).message_posted().content(), "second");
  EXPECT_EQ(page.events(3).message_posted().edited_seq(), 6);
  EXPECT_FALSE(page.events(3).message_posted().deleted());
  EXPECT_EQ(page.events(4).message_edited().content(), "second");
  EXPECT_EQ(page.events(4).message_edited().message_seq(), 4);
  EXPECT_EQ(page.events(5).actor().id(), "mo");
  edge.Do(Delete("ann", 4, id));
  EXPECT_TRUE(List("a")->events.at(3).marks.is_deleted);
  EXPECT_EQ(List("a")->events.at(3).event.content, "");
}

TEST_F(MessageChangeTest, ChecksAnEditAsItChecksAMessage) {
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = MakeRoomWithMessage(edge);
  EdgeCommand body = Edit("ann", 1, id, "");
  body.command.mutable_edit_message()->set_body_json("{} {}");
  EdgeCommand mentions = Edit("ann", 2, id, "x");
  for (int i = 0; i < 51; ++i) mentions.command.mutable_edit_message()->add_mentions("bob");

  EXPECT_EQ(WordOf(edge.Do(body)), "BAD_REQUEST");
  EXPECT_EQ(WordOf(edge.Do(mentions)), "BAD_REQUEST");
  EXPECT_EQ(WordOf(edge.Do(Edit("ann", 3, id, ""))), "CONTENT_SIZE");
  EXPECT_EQ(WordOf(edge.Do(Edit("ann", 4, "", "x"))), "BAD_REQUEST");
  EXPECT_EQ(WordOf(edge.Do(Edit("ann", 5, "nothing", "x"))), "MESSAGE_NOT_FOUND");
  EXPECT_EQ(List("a")->events.size(), 4u);
}

TEST_F(MessageChangeTest, RefusesAnswersToWhatIsNotThere) {
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = MakeRoomWithMessage(edge);
  EdgeCommand answer = TestEdge::Post(1, "bob", 1, "a", "yes");
  answer.command.mutable_post_message()->set_reply_to(id);
  EdgeCommand lost = TestEdge::Post(1, "bob", 2, "a", "what?");
  lost.command.mutable_post_message()->set_reply_to("nothing");

  EXPECT_EQ(WordOf(edge.Do(answer)), "ok");
  EXPECT_EQ(WordOf(edge.Do(lost)), "MESSAGE_NOT_FOUND");
}

TEST_F(MessageChangeTest, PassesBodiesAndMentionsOnAsTheyAre) {
  TestEdge edge(*dispatcher_, "e1");
  MakeRoom("a", {"ann"});
  edge.DoJoin(1, "ann", "a");
  EdgeCommand input = TestEdge::Post(1, "ann", 1, "a", "");
  input.command.mutable_post_message()->set_body_json(R"({ "n" : 1.50 })");
  input.command.mutable_post_message()->add_mentions("bob");

  ASSERT_EQ(WordOf(edge.Do(input)), "ok");

  const auto items = edge.stream().items();
  const v1::MessagePosted& message =
      items.at(items.size() - 2).broadcast().event().event().message_posted();
  EXPECT_EQ(message.body_json(), R"({ "n" : 1.50 })");
  EXPECT_EQ(message.type(), "custom");
  EXPECT_THAT(message.mentions(), ElementsAre("bob"));
}

TEST_F(MessageChangeTest, LetsServicesChangeAnything) {
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = MakeRoomWithMessage(edge);
  ServiceChange edit;
  edit.room = RoomId("a");
  edit.message_id = id;
  edit.content = "by the system";
  ServiceChange deletion;
  deletion.room = RoomId("a");
  deletion.message_id = id;
  deletion.is_deletion = true;
  deletion.actor.emplace().id = storage::UserId("bob");

  Awaited<PostedMessage> edited;
  dispatcher_->ChangeMessage(edit, Soon(), edited.callback());
  ASSERT_TRUE(edited.Get().ok());
  Awaited<PostedMessage> deleted;
  dispatcher_->ChangeMessage(deletion, Soon(), deleted.callback());

  EXPECT_EQ(ReasonOf(deleted.Get().status()), v1::REASON_FORBIDDEN);
  EXPECT_EQ(List("a")->events.at(3).event.content, "by the system");
}

TEST_F(MessageChangeTest, PublishesAnEditWhoseAnswerWasLost) {
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = MakeRoomWithMessage(edge);
  edge.DoJoin(1, "bob", "a");
  store_->LoseAnswer(StoreCall::kAppend);

  const v1::Result result = edge.Do(Edit("ann", 8, id, "after"));

  EXPECT_EQ(WordOf(result), "ok");
  EXPECT_TRUE(edge.stream().AwaitLine("edited 5 4 after"));
}

}  // namespace
}  // namespace confab::control
