#include "edge/http_api/http_api.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

class HttpApiTest : public testing::Test {
 protected:
  HttpApiTest() { request_.content_type = "application/json; charset=utf-8"; }

  // What the request becomes; fails unless it is a command.
  HttpAsk Ask(std::string_view method, std::string_view target, std::string_view body = "") {
    auto read = Read(method, target, body);
    if (auto* answer = std::get_if<HttpAnswer>(&read)) {
      ADD_FAILURE() << method << ' ' << target << ": " << answer->body;
      return {};
    }
    return std::get<HttpAsk>(std::move(read));
  }
  // Its answer; fails if it is a command.
  HttpAnswer Answer(std::string_view method, std::string_view target, std::string_view body = "") {
    auto read = Read(method, target, body);
    if (std::holds_alternative<HttpAsk>(read)) {
      ADD_FAILURE() << method << ' ' << target << " became a command";
      return {};
    }
    return std::get<HttpAnswer>(std::move(read));
  }
  std::variant<HttpAnswer, HttpAsk> Read(std::string_view method, std::string_view target,
                                         std::string_view body) {
    request_.method = method;
    request_.target = target;
    return api_.Read(request_, body, is_attached_);
  }

  OriginPolicy origins_ = *OriginPolicy::Create({"https://chat.example"}, false);
  HttpApi api_{origins_};
  HttpRequestView request_;
  bool is_attached_ = true;
};

std::string HeaderOf(const HttpAnswer& answer, std::string_view name) {
  for (const auto& [found, value] : answer.headers) {
    if (found == name) return value;
  }
  return "";
}

bool Says(const HttpAnswer& answer, std::string_view word) {
  return answer.body.find(word) != std::string::npos;
}

TEST_F(HttpApiTest, MakesEachRouteItsCommand) {
  request_.authorization = "Bearer t";
  EXPECT_EQ(Ask("GET", "/v1/rooms?limit=7&pageToken=a%2Fb").command.ShortDebugString(),
            R"(list_rooms { page_size: 7 page_token: "a/b" })");
  EXPECT_EQ(Ask("GET", "/rooms/1").command.ShortDebugString(), R"(get_room { room_id: "1" })");
  EXPECT_EQ(Ask("POST", "/rooms/a%2Fb/join").command.ShortDebugString(),
            R"(become_member { room_id: "a/b" })");
  EXPECT_EQ(Ask("POST", "/v1/rooms/1/leave/").command.ShortDebugString(),
            R"(quit_room { room_id: "1" })");
  EXPECT_EQ(Ask("GET", "/v1/rooms/1/members?limit=2").command.ShortDebugString(),
            R"(list_members { room_id: "1" page_size: 2 })");
  EXPECT_EQ(Ask("GET", "/v1/rooms/1/history?afterSeq=0&limit=9").command.ShortDebugString(),
            R"(get_history { room_id: "1" after_seq: 0 limit: 9 })");
  const HttpAsk history = Ask("HEAD", "/v1/rooms/1/history?beforeSeq=4");
  EXPECT_EQ(history.command.get_history().before_seq(), 4);
  EXPECT_EQ(history.token, "Bearer t");
  EXPECT_EQ(history.status, 200);
}

TEST_F(HttpApiTest, ReadsWhatChangesARoom) {
  EXPECT_EQ(Ask("PATCH", "/v1/rooms/1",
                R"({"topic":"","visibility":"private","isArchived":true,"slowModeSeconds":5,)"
                R"("metadata":{"a":"1","b":null}})")
                .command.ShortDebugString(),
            R"(update_room { room_id: "1" changes { topic: "" )"
            R"(visibility: ROOM_VISIBILITY_PRIVATE is_archived: true slow_mode_seconds: 5 )"
            R"(set_metadata { key: "a" value: "1" } remove_metadata: "b" } })");
  EXPECT_EQ(Ask("PATCH", "/v1/rooms/1", "{}").command.ShortDebugString(),
            R"(update_room { room_id: "1" changes { } })");
  for (const char* body :
       {R"({"isArchived":1})", R"({"isReadOnly":"yes"})", R"({"slowModeSeconds":-1})",
        R"({"slowModeSeconds":1.5})", R"({"metadata":[]})", R"({"metadata":{"a":1}})",
        R"({"visibility":"open"})", R"({"topic":7})"}) {
    EXPECT_EQ(Answer("PATCH", "/v1/rooms/1", body).status, 400) << body;
  }
}

TEST_F(HttpApiTest, ReadsWhatIsDoneToAMember) {
  const auto change = [&](const char* path, const char* body) {
    return Ask("POST", path, body).command.change_member().ShortDebugString();
  };
  EXPECT_EQ(change("/rooms/1/members", R"({"userId":7})"),
            R"(room_id: "1" user_id: "7" add: ROLE_UNSPECIFIED)");
  EXPECT_EQ(change("/rooms/1/role", R"({"userId":"b","role":"reader"})"),
            R"(room_id: "1" user_id: "b" role: ROLE_READER)");
  EXPECT_EQ(change("/rooms/1/kick", R"({"userId":"b"})"),
            R"(room_id: "1" user_id: "b" remove { })");
  EXPECT_EQ(change("/rooms/1/ban", R"({"userId":"b","seconds":60})"),
            R"(room_id: "1" user_id: "b" ban { seconds: 60 })");
  EXPECT_EQ(change("/rooms/1/unban", R"({"userId":"b"})"),
            R"(room_id: "1" user_id: "b" unban { })");
  EXPECT_EQ(change("/rooms/1/mute", R"({"userId":"b"})"), R"(room_id: "1" user_id: "b" mute { })");
  EXPECT_EQ(change("/rooms/1/unmute", R"({"userId":"b"})"),
            R"(room_id: "1" user_id: "b" unmute { })");
  EXPECT_EQ(Ask("GET", "/rooms/1/bans?limit=3").command.ShortDebugString(),
            R"(list_members { room_id: "1" page_size: 3 is_of_banned: true })");
  EXPECT_EQ(Answer("POST", "/rooms/1/ban", "{}").status, 400);
  EXPECT_EQ(Answer("POST", "/rooms/1/role", R"({"userId":"b"})").status, 400);
  EXPECT_EQ(Answer("POST", "/rooms/1/mute", R"({"userId":"b","seconds":"x"})").status, 400);
}

TEST_F(HttpApiTest, ReadsANewRoom) {
  const HttpAsk ask = Ask("POST", "/v1/rooms",
                          R"({"roomId":42,"topic":"tea","visibility":"public",)"
                          R"("members":["bob",7,{"userId":"cy","role":"moderator"}],"extra":1})");
  EXPECT_EQ(ask.status, 201);
  const v1::CreateRoom& create = ask.command.create_room();
  EXPECT_EQ(create.room_id(), "42");
  EXPECT_EQ(create.topic(), "tea");
  EXPECT_EQ(create.visibility(), v1::ROOM_VISIBILITY_PUBLIC);
  ASSERT_EQ(create.members_size(), 3);
  EXPECT_EQ(create.members(0).user_id(), "bob");
  EXPECT_EQ(create.members(1).user_id(), "7");
  EXPECT_EQ(create.members(2).role(), v1::ROLE_MODERATOR);
  EXPECT_EQ(Ask("POST", "/rooms", "{}").command.create_room().visibility(),
            v1::ROOM_VISIBILITY_PRIVATE);
}

TEST_F(HttpApiTest, ReadsAMessageWithItsKeyFromEitherPlace) {
  const std::string body = R"({"content":"hi","type":"image","replyTo":"m","clientMsgId":"k"})";
  EXPECT_EQ(Ask("POST", "/rooms/1/messages", body).command.ShortDebugString(),
            R"(post_message { room_id: "1" content: "hi" client_msg_id: "k" type: "image" )"
            R"(reply_to: "m" })");
  request_.idempotency_key = "k";
  EXPECT_EQ(Ask("POST", "/rooms/1/messages", body).command.post_message().client_msg_id(), "k");
  EXPECT_EQ(Ask("POST", "/rooms/1/messages", R"({"content":"hi"})")
                .command.post_message()
                .client_msg_id(),
            "k");
  request_.idempotency_key = "other";
  EXPECT_EQ(Answer("POST", "/rooms/1/messages", body).status, 400);
}

TEST_F(HttpApiTest, ReadsBodyAndMentionsAsTheyAre) {
  const v1::Command post =
      Ask("POST", "/rooms/1/messages", R"({"body": { "n" : 1.50, "é":[ ]},"mentions":["bob",7]})")
          .command;
  EXPECT_EQ(post.post_message().body_json(), R"({ "n" : 1.50, "é":[ ]})");
  EXPECT_EQ(post.post_message().content(), "");
  ASSERT_EQ(post.post_message().mentions_size(), 2);
  EXPECT_EQ(post.post_message().mentions(1), "7");
  EXPECT_EQ(Answer("POST", "/rooms/1/messages", R"({"content":"x","mentions":"bob"})").status, 400);
  EXPECT_EQ(Answer("POST", "/rooms/1/messages", R"({"body":null})").status, 400);
}

TEST_F(HttpApiTest, ReadsEditsAndDeletions) {
  const HttpAsk edit = Ask("PATCH", "/v1/rooms/a%2Fb/messages/m1", R"({"content":"x","body":[1]})");
  EXPECT_EQ(edit.command.ShortDebugString(),
            R"(edit_message { room_id: "a/b" message_id: "m1" content: "x" body_json: "[1]" })");
  EXPECT_EQ(Ask("DELETE", "/rooms/1/messages/m1").command.ShortDebugString(),
            R"(delete_message { room_id: "1" message_id: "m1" })");
  EXPECT_EQ(HeaderOf(Answer("GET", "/rooms/1/messages/m1"), "Allow"), "PATCH, DELETE, OPTIONS");
}

TEST_F(HttpApiTest, ReadsHistoryByTime) {
  const v1::Command since =
      Ask("GET", "/rooms/1/history?since=2026-11-21T07:35:00.250Z&limit=3").command;
  EXPECT_EQ(since.get_history().since().seconds(), 1795246500);
  EXPECT_EQ(since.get_history().since().nanos(), 250'000'000);
  EXPECT_TRUE(Ask("GET", "/rooms/1/history?until=2026-11-21T07:35:00%2B01:00")
                  .command.get_history()
                  .has_until());
  EXPECT_EQ(Answer("GET", "/rooms/1/history?since=yesterday").status, 400);
}

TEST_F(HttpApiTest, PassesAServicesTokenOn) {
  request_.authorization = "Bearer svc";
  const HttpAsk ask = Ask("POST", "/v1/publish",
                          R"({"roomId":"1","content":"news","idempotencyKey":"k",)"
                          R"("sender":{"id":5,"name":"Bot"}})");
  EXPECT_EQ(ask.caller, ApiRoute::Caller::kService);
  EXPECT_EQ(ask.token, "");
  const v1::Publish& publish = ask.command.publish();
  EXPECT_EQ(publish.service_token(), "Bearer svc");
  EXPECT_EQ(publish.sender().id(), "5");
  EXPECT_EQ(publish.idempotency_key(), "k");
  EXPECT_FALSE(
      Ask("POST", "/publish", R"({"roomId":"1","content":"x"})").command.publish().has_sender());
}

TEST_F(HttpApiTest, ReadsWhatAServiceWantsTold) {
  request_.authorization = "svc";
  request_.idempotency_key = "k";
  const HttpAsk ask = Ask("POST", "/v1/notify",
                          R"({"userId":5,"event":"sale","payload": {"eur" : 1.50} ,)"
                          R"("delivery":"latest","key":"eur","priority":"low","ttlMs":1000,)"
                          R"("storeIfAbsent":true})");

  EXPECT_EQ(ask.caller, ApiRoute::Caller::kService);
  EXPECT_EQ(ask.command.notify().service_token(), "svc");
  const v1::OutgoingNotification& what = ask.command.notify().notification();
  EXPECT_EQ(what.user_id(), "5");
  EXPECT_EQ(what.event(), "sale");
  EXPECT_EQ(what.json(), R"({"eur" : 1.50})") << "byte for byte";
  EXPECT_EQ(what.delivery_class(), v1::DELIVERY_CLASS_LATEST);
  EXPECT_EQ(what.key(), "eur");
  EXPECT_EQ(what.priority(), v1::NOTIFICATION_PRIORITY_LOW);
  EXPECT_EQ(what.ttl_ms(), 1000u);
  EXPECT_TRUE(what.store_if_absent());
  EXPECT_EQ(what.idempotency_key(), "k");
}

TEST_F(HttpApiTest, ReadsEveryTargetAndBytes) {
  const auto told = [&](const std::string& body) {
    return Ask("POST", "/notify", body).command.notify().notification();
  };
  EXPECT_EQ(told(R"({"role":"x","event":"e"})").role(), "x");
  EXPECT_EQ(told(R"({"role":"x","event":"e"})").json(), "null");
  EXPECT_EQ(told(R"({"roomId":"r","event":"e"})").room_id(), "r");
  EXPECT_EQ(told(R"({"connectionId":"1-2","event":"e"})").connection_id(), "1-2");
  EXPECT_TRUE(told(R"({"everybody":true,"event":"e"})").has_everybody());
  EXPECT_EQ(told(R"({"userId":"u","event":"e","payloadBase64":"AP8="})").binary(),
            std::string("\0\xff", 2));
}

TEST_F(HttpApiTest, RefusesANotificationNamingTheField) {
  const auto says = [&](const std::string& body, const char* what) {
    return Says(Answer("POST", "/notify", body), what);
  };
  EXPECT_TRUE(says(R"({"event":"e"})", "exactly one of them"));
  EXPECT_TRUE(says(R"({"userId":"u","roomId":"r","event":"e"})", "exactly one of them"));
  EXPECT_TRUE(says(R"({"everybody":false,"event":"e"})", "everybody must be true"));
  EXPECT_TRUE(says(R"({"userId":"u"})", "event is missing"));
  EXPECT_TRUE(says(R"({"userId":"u","event":"e","delivery":"now"})", "delivery must be"));
  EXPECT_TRUE(says(R"({"userId":"u","event":"e","priority":1})", "priority must be"));
  EXPECT_TRUE(says(R"({"userId":"u","event":"e","ttlMs":-1})", "ttlMs must be"));
  EXPECT_TRUE(says(R"({"userId":"u","event":"e","storeIfAbsent":1})", "storeIfAbsent must be"));
  EXPECT_TRUE(says(R"({"userId":"u","event":"e","payloadBase64":"!"})", "payloadBase64 must be"));
  EXPECT_TRUE(
      says(R"({"userId":"u","event":"e","payload":1,"payloadBase64":"AA=="})", "give one of them"));
}

TEST_F(HttpApiTest, TakesTheTokenFromTheHeaderThenTheQuery) {
  EXPECT_EQ(Ask("GET", "/rooms?token=q").token, "q");
  request_.authorization = "h";
  EXPECT_EQ(Ask("GET", "/rooms?token=q").token, "h");
}

TEST_F(HttpApiTest, PassesOverABodyWhereNoneBelongs) {
  request_.content_type = "application/x-www-form-urlencoded";
  Ask("POST", "/rooms/1/join", "not JSON at all");
}

TEST_F(HttpApiTest, NamesWhatIsWrong) {
  const std::map<std::string, std::string> rooms = {
      {R"({"roomId":1.5})", "roomId"},
      {R"({"roomId":-1})", "roomId"},
      {R"({"topic":1})", "topic"},
      {R"({"visibility":"secret"})", "visibility"},
      {R"({"members":{}})", "members"},
      {R"({"members":[null]})", "members"},
      {R"({"members":[{}]})", "userId"},
      {R"({"members":[{"userId":"a","role":"x"}]})", "role"},
      {R"([1])", "object"},
      {R"({"a":)", "body"},
      {"", "body"},
      {"\"\xff\"", "body"},
  };
  for (const auto& [body, word] : rooms) {
    const HttpAnswer answer = Answer("POST", "/v1/rooms", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_TRUE(Says(answer, word)) << answer.body;
    EXPECT_TRUE(Says(answer, R"({"error":{"reason":"BAD_REQUEST")")) << answer.body;
  }
  for (const char* target :
       {"/v1/rooms?limit=x", "/v1/rooms?limit=-1", "/v1/rooms?limit=", "/v1/rooms?limit=01",
        "/v1/rooms?limit=9007199254740992", "/v1/rooms?limit=99999999999999999999",
        "/v1/rooms?pageToken=%ff", "/v1/rooms/%ff", "/v1/rooms/%zz/members"}) {
    EXPECT_EQ(Answer("GET", target).status, 400) << target;
  }
  EXPECT_TRUE(Says(Answer("POST", "/rooms/1/messages", "{}"), "content is missing"));
  EXPECT_TRUE(Says(Answer("POST", "/publish", R"({"content":"x"})"), "roomId is missing"));
}

// A protobuf string that is not UTF-8 would end the stream, and with it everybody's.
TEST_F(HttpApiTest, LetsNothingIntoACommandThatIsNotUtf8) {
  request_.idempotency_key = "\xff";
  EXPECT_EQ(Answer("POST", "/rooms/1/messages", R"({"content":"x"})").status, 400);
  request_.idempotency_key = "";
  request_.authorization = "Bearer \xc3";
  EXPECT_EQ(Answer("POST", "/publish", R"({"roomId":"1","content":"x"})").status, 400);
}

TEST_F(HttpApiTest, RefusesWhatIsTooLargeTooDeepOrNoJson) {
  const std::string large = R"({"content":")" + std::string(HttpApi::kBodyBytesLimit, 'x') + "\"}";
  EXPECT_EQ(Answer("POST", "/rooms/1/messages", large).status, 413);
  const std::string deep = R"({"content":)" + std::string(40, '[') + std::string(40, ']') + "}";
  EXPECT_EQ(Answer("POST", "/rooms/1/messages", deep).status, 400);
  for (const char* type : {"", "text/plain", "application/jsonp", "multipart/form-data"}) {
    request_.content_type = type;
    EXPECT_EQ(Answer("POST", "/rooms/1/messages", R"({"content":"x"})").status, 415) << type;
  }
  request_.content_type = "Application/JSON ; charset=utf-8";
  Ask("POST", "/rooms/1/messages", R"({"content":"x"})");
}

TEST_F(HttpApiTest, SaysWhatAPathTakes) {
  const HttpAnswer wrong = Answer("DELETE", "/v1/rooms");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(HeaderOf(wrong, "Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(Answer("GET", "/rooms/1/join").status, 405);
  for (const char* path : {"/", "/v1", "/v2/rooms", "/rooms/1/2/3", "/rooms//join", "*"}) {
    EXPECT_EQ(Answer("GET", path).status, 404) << path;
  }
  EXPECT_EQ(Answer("BREW", "/nothing").status, 404);
}

TEST_F(HttpApiTest, AnswersAPreflight) {
  request_.origin = "https://chat.example";
  const HttpAnswer answer = Answer("OPTIONS", "/rooms/1/messages");
  EXPECT_EQ(answer.status, 204);
  EXPECT_TRUE(answer.allows_origin);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(HeaderOf(answer, "Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_TRUE(HeaderOf(answer, "Access-Control-Allow-Headers").find("Idempotency-Key") !=
              std::string::npos);
}

TEST_F(HttpApiTest, AllowsAnOriginOnEveryAnswer) {
  request_.origin = "https://chat.example";
  EXPECT_TRUE(Answer("GET", "/nothing").allows_origin);
  EXPECT_TRUE(Answer("PUT", "/rooms").allows_origin);
  EXPECT_TRUE(Answer("POST", "/rooms", "x").allows_origin);
  const HttpAsk ask = Ask("GET", "/rooms");
  v1::Result refusal;
  refusal.mutable_error()->set_reason(v1::REASON_TOKEN_EXPIRED);
  EXPECT_TRUE(HttpApi::AnswerOfAsk(ask, refusal).allows_origin);
}

TEST_F(HttpApiTest, RefusesOtherOrigins) {
  request_.origin = "https://evil.example";
  const HttpAnswer answer = Answer("GET", "/rooms");
  EXPECT_EQ(answer.status, 403);
  EXPECT_FALSE(answer.allows_origin);
  EXPECT_EQ(Answer("OPTIONS", "/rooms").status, 403);
}

TEST_F(HttpApiTest, SaysWhetherCommandsAreServed) {
  EXPECT_EQ(Answer("GET", "/v1/health").body, R"({"status":"ok"})");
  is_attached_ = false;
  const HttpAnswer away = Answer("GET", "/health");
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(HeaderOf(away, "Retry-After"), "1");
}

}  // namespace
}  // namespace confab::edge
