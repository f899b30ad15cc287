#include "control/dispatch/command_translator.h"

#include <string>

#include <gtest/gtest.h>

namespace confab::control {
namespace {

using storage::DedupKey;

// What ann's command has become, as request 7 of edge "e" in its third life.
std::unique_ptr<RoomCommand> Translated(v1::Command command, std::string service = {}) {
  command.set_connection(5);
  command.set_request(7);
  EdgeCommand asked;
  asked.actor =
      std::make_shared<const storage::Actor>(storage::Actor{storage::UserId("ann"), "Ann", ""});
  asked.command = std::move(command);
  asked.service = std::move(service);
  const auto edge = std::make_shared<Attachment>("e", 3, nullptr);
  auto translated = Translate(std::move(asked), edge, Deadline(), absl::Seconds(1));
  EXPECT_TRUE(translated.ok()) << translated.status();
  return translated.ok() ? *std::move(translated) : nullptr;
}

v1::Command Post(const std::string& client_msg_id) {
  v1::Command command;
  command.mutable_post_message()->set_room_id("a");
  command.mutable_post_message()->set_content("hello");
  command.mutable_post_message()->set_client_msg_id(client_msg_id);
  return command;
}

v1::Command Publish(const std::string& key) {
  v1::Command command;
  command.mutable_publish()->set_room_id("a");
  command.mutable_publish()->set_content("hello");
  command.mutable_publish()->set_idempotency_key(key);
  return command;
}

const DedupKey kOfEdge{DedupKey::Space::kEdge, "e/3/7"};

TEST(CommandTranslator, AMessageIsKnownByItsClientsKeyOrTheEdges) {
  const auto with_key = Translated(Post("c-1"));
  ASSERT_NE(with_key, nullptr);
  EXPECT_EQ(with_key->append.events[0].dedup, (DedupKey{DedupKey::Space::kClient, "c-1"}));
  EXPECT_TRUE(with_key->is_repeat_safe);

  const auto without = Translated(Post(""));
  ASSERT_NE(without, nullptr);
  EXPECT_EQ(without->append.events[0].dedup, kOfEdge);
  EXPECT_FALSE(without->is_repeat_safe);
}

TEST(CommandTranslator, AServicesMessageIsKnownByItsKeyOrTheEdges) {
  const auto with_key = Translated(Publish("s-1"), "billing");
  ASSERT_NE(with_key, nullptr);
  EXPECT_EQ(with_key->append.events[0].dedup, (DedupKey{DedupKey::Space::kService, "billing/s-1"}));

  const auto without = Translated(Publish(""), "billing");
  ASSERT_NE(without, nullptr);
  EXPECT_EQ(without->append.events[0].dedup, kOfEdge);
}

TEST(CommandTranslator, WhatMayChangeARoomIsKnownByTheEdgesKey) {
  v1::Command edit;
  edit.mutable_edit_message()->set_room_id("a");
  edit.mutable_edit_message()->set_message_id("m");
  edit.mutable_edit_message()->set_content("better");
  const auto edited = Translated(edit);
  ASSERT_NE(edited, nullptr);
  EXPECT_EQ(edited->append.events[0].dedup, kOfEdge);

  v1::Command join;
  join.mutable_join_room()->set_room_id("a");
  v1::Command quit;
  quit.mutable_quit_room()->set_room_id("a");
  for (const v1::Command& command : {join, quit}) {
    const auto translated = Translated(command);
    ASSERT_NE(translated, nullptr);
    EXPECT_EQ(translated->key, kOfEdge);
  }
}

TEST(CommandTranslator, TheAnswerGoesToWhoAsked) {
  const auto command = Translated(Post("c-1"));
  ASSERT_NE(command, nullptr);

  const auto* reply = std::get_if<EdgeReply>(&command->reply);
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(reply->connection, 5u);
  EXPECT_EQ(reply->request, 7u);
  EXPECT_EQ(command->deadline, Deadline() + std::chrono::seconds(1));
}

}  // namespace
}  // namespace confab::control
