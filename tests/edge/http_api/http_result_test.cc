#include "edge/http_api/http_result.h"

#include <string>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "proto/reason.h"

namespace confab::edge {
namespace {

std::string HeaderOf(const HttpAnswer& answer, std::string_view name) {
  for (const auto& [found, value] : answer.headers) {
    if (found == name) return value;
  }
  return "";
}

TEST(HttpResult, ShowsARoomAndWhereItStands) {
  v1::Result result;
  v1::Room& room = *result.mutable_room();
  room.set_id("a/\xed\x95\x9c");
  room.set_topic("\"tea\"");
  room.set_visibility(v1::ROOM_VISIBILITY_PUBLIC);
  room.set_last_seq(9'007'199'254'740'991);
  room.mutable_created_at()->set_seconds(1);
  room.set_is_read_only(true);
  room.set_slow_mode_seconds(5);
  (*room.mutable_metadata())["b"] = "\"";
  (*room.mutable_metadata())["a"] = "1";

  const HttpAnswer made = AnswerOfResult(result, 201);

  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(HeaderOf(made, "Location"), "/v1/rooms/a%2F%ED%95%9C");
  EXPECT_EQ(made.body,
            "{\"roomId\":\"a/\xed\x95\x9c\",\"topic\":\"\\\"tea\\\"\",\"visibility\":\"public\","
            "\"isArchived\":false,\"isReadOnly\":true,\"slowModeSeconds\":5,"
            "\"metadata\":{\"a\":\"1\",\"b\":\"\\\"\"},"
            "\"lastSeq\":9007199254740991,\"createdAt\":\"1970-01-01T00:00:01.000Z\"}");
  room.set_member_count(0);
  const HttpAnswer shown = AnswerOfResult(result, 200);
  EXPECT_EQ(HeaderOf(shown, "Location"), "");
  EXPECT_EQ(boost::json::parse(shown.body).at("memberCount").as_int64(), 0);
}

TEST(HttpResult, ShowsEachKindOfEventAndPassesOverOthers) {
  v1::Result result;
  v1::HistoryPage& page = *result.mutable_history();
  page.set_room_id("a");
  page.set_last_seq(5);
  page.set_more(true);
  v1::Event& posted = *page.add_events();
  posted.mutable_actor()->set_id("ann");
  posted.mutable_message_posted()->set_content("hi");
  page.add_events();  // Of a newer control.
  page.add_events()->mutable_member_added()->set_role(v1::ROLE_MEMBER);
  page.add_events()->mutable_member_removed()->set_user_id("bob");
  page.add_events()->mutable_member_role_changed()->set_role(v1::ROLE_OWNER);
  page.add_events()->mutable_member_banned()->mutable_until()->set_seconds(1);
  page.add_events()->mutable_member_unbanned()->set_user_id("bob");
  page.add_events()->mutable_member_muted()->set_user_id("bob");
  page.add_events()->mutable_member_unmuted()->set_user_id("bob");
  v1::RoomUpdated& updated = *page.add_events()->mutable_room_updated();
  updated.add_changed("isArchived");
  updated.set_is_archived(true);

  const auto body = boost::json::parse(AnswerOfResult(result, 200).body);

  const auto& events = body.at("events").as_array();
  ASSERT_EQ(events.size(), 9u);
  EXPECT_EQ(events[0].at("event"), "newMessage");
  EXPECT_EQ(events[0].at("senderId"), "ann");
  EXPECT_TRUE(events[0].at("clientMsgId").is_null());
  EXPECT_EQ(events[1].at("role"), "member");
  EXPECT_EQ(events[2].at("event"), "memberLeft");
  EXPECT_EQ(events[3].at("role"), "owner");
  EXPECT_EQ(events[4].at("event"), "memberLeft");
  EXPECT_EQ(events[4].at("banned"), true);
  EXPECT_EQ(events[4].at("until"), "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(events[5].at("event"), "memberUpdated");
  EXPECT_EQ(events[5].at("banned"), false);
  EXPECT_EQ(events[6].at("muted"), true);
  EXPECT_FALSE(events[6].as_object().contains("until"));
  EXPECT_EQ(events[7].at("muted"), false);
  EXPECT_EQ(events[8].at("event"), "roomUpdated");
  EXPECT_EQ(events[8].at("changed").at(0), "isArchived");
  EXPECT_EQ(events[8].at("isArchived"), true);
  EXPECT_EQ(body.at("more").as_bool(), true);
  EXPECT_EQ(body.at("lastSeq").as_int64(), 5);
}

TEST(HttpResult, ShowsPagesWithWhereTheyGoOn) {
  v1::Result result;
  result.mutable_rooms();
  EXPECT_EQ(AnswerOfResult(result, 200).body, R"({"rooms":[]})");
  result.mutable_members()->set_room_id("a");
  result.mutable_members()->add_members()->set_user_id("ann");
  v1::Member& member = *result.mutable_members()->mutable_members(0);
  member.set_role(v1::ROLE_READER);
  member.mutable_changed_at()->set_seconds(0);
  member.mutable_muted();
  result.mutable_members()->set_next_page_token("ann");
  EXPECT_EQ(AnswerOfResult(result, 200).body,
            R"({"roomId":"a","members":[{"userId":"ann","role":"reader",)"
            R"("changedAt":"1970-01-01T00:00:00.000Z","muted":{}}],"nextPageToken":"ann"})");
}

TEST(HttpResult, TakesTheStatusOfARefusalFromTheTable) {
  for (int i = v1::Reason_MIN + 1; i <= v1::Reason_MAX; ++i) {
    if (!v1::Reason_IsValid(i)) continue;
    const auto reason = static_cast<v1::Reason>(i);
    const HttpAnswer answer = AnswerOfError(MakeError(reason, "why"));
    EXPECT_EQ(answer.status, TraitsOf(reason).http_status);
    EXPECT_GE(answer.status, 400);
    EXPECT_EQ(HeaderOf(answer, "Retry-After").empty(), !TraitsOf(reason).retryable);
    EXPECT_EQ(HeaderOf(answer, "WWW-Authenticate").empty(), answer.status != 401);
    const auto body = boost::json::parse(answer.body);
    EXPECT_EQ(body.at("error").at("reason"),
              boost::json::string_view(TraitsOf(reason).word.data(), TraitsOf(reason).word.size()));
  }
}

TEST(HttpResult, RoundsRetryAfterUp) {
  const HttpAnswer answer = AnswerOfError(MakeError(v1::REASON_RATE_LIMITED, "slow down", 1001));
  EXPECT_EQ(HeaderOf(answer, "Retry-After"), "2");
}

TEST(HttpResult, TakesAResultWithoutContentForADefect) {
  EXPECT_EQ(AnswerOfResult({}, 200).status, 500);
}

}  // namespace
}  // namespace confab::edge
