#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kPolling[] = "/socket.io/?EIO=4&transport=polling";
constexpr char kUnknown[] = R"({"code":1,"message":"Session ID unknown"})";
constexpr char kBadRequest[] = R"({"code":3,"message":"Bad request"})";

struct Answer {
  int status = 0;
  std::string body;

  bool operator==(const Answer&) const = default;
};
void PrintTo(const Answer& answer, std::ostream* out) {
  *out << answer.status << " " << answer.body;
}

// Engine.IO over HTTP long-polling, each request on a TCP connection of its own unless told.
class EdgePolling : public EdgeTest {
 protected:
  static std::string Request(const std::string& method, const std::string& target,
                             const std::string& body = "", const std::string& headers = "") {
    return method + " " + target + " HTTP/1.1\r\nHost: x\r\n" + headers +
           (method == "POST" ? "Content-Length: " + std::to_string(body.size()) + "\r\n" : "") +
           "\r\n" + body;
  }
  static Answer Read(WsClient& client) {
    const int status = client.ReadStatus();
    return {status, client.ReadBody()};
  }
  Answer Do(const std::string& method, const std::string& target, const std::string& body = "",
            const std::string& headers = "") {
    WsClient client(edge_->address());
    client.SendRaw(Request(method, target, body, headers));
    return Read(client);
  }

  static std::string Target(const std::string& sid) {
    return std::string(kPolling) + "&sid=" + sid;
  }
  std::string Open() {
    const Answer answer = Do("GET", kPolling);
    EXPECT_THAT(answer.body, StartsWith("0{\"sid\":\""));
    return answer.body.substr(9, answer.body.find('"', 9) - 9);
  }
  Answer Get(const std::string& sid) { return Do("GET", Target(sid)); }
  Answer Post(const std::string& sid, const std::string& body) {
    return Do("POST", Target(sid), body);
  }
  // A GET that is held.
  WsClient Hold(const std::string& sid) {
    WsClient client(edge_->address());
    client.SendRaw(Request("GET", Target(sid)));
    EXPECT_EQ(client.ReadStatus(milliseconds(50)), 0);
    return client;
  }

  // A session of that user, its greetings fetched.
  std::string Connect(const std::string& user) {
    const std::string sid = Open();
    EXPECT_EQ(Post(sid, "40{\"token\":\"" + TokenFor(user) + "\"}").body, "ok");
    std::string got;
    while (got.find("\"connected\"") == std::string::npos) {
      const Answer answer = Get(sid);
      if (answer.status != 200) break;
      got += answer.body;
    }
    EXPECT_THAT(got, AllOf(StartsWith("40{\"sid\":\""), HasSubstr("\x1e"
                                                                  "42[\"connected\"")));
    return sid;
  }
};

TEST_F(EdgePolling, CarriesAConnection) {
  StartEdge();
  control_->AddMember("den", "ann");
  const std::string sid = Connect("ann");

  EXPECT_EQ(Post(sid, "421[\"joinRoom\",{\"roomId\":\"den\"}]").body, "ok");
  EXPECT_THAT(Get(sid).body, StartsWith("431[{\"ok\":true"));
  WsClient held = Hold(sid);
  control_->Post("den", "to a held GET");
  EXPECT_THAT(Read(held).body, AllOf(StartsWith("42[\"newMessage\""), HasSubstr("held GET")));
  control_->Post("den", "one");
  control_->Post("den", "two");
  std::string got;
  while (std::count(got.begin(), got.end(), '\x1e') < 2) got += Get(sid).body + "\x1e";

  EXPECT_LT(got.find("\"one\""), got.find("\"two\"")) << got;
}

TEST_F(EdgePolling, TellsEventsThatComeTogetherPacketByPacket) {
  StartEdge();
  control_->AddMember("den", "ann");
  const std::string sid = Connect("ann");
  EXPECT_EQ(Post(sid, "421[\"joinRoom\",{\"roomId\":\"den\"}]").body, "ok");
  EXPECT_THAT(Get(sid).body, StartsWith("431[{\"ok\":true"));

  control_->PostTogether("den", {"one", "two", "three"});

  std::string got;
  while (std::count(got.begin(), got.end(), '\x1e') < 3) got += Get(sid).body + "\x1e";
  std::size_t packets = 0;
  for (std::size_t at = 0; at < got.size(); at = got.find('\x1e', at) + 1) {
    EXPECT_THAT(got.substr(at), StartsWith("42[\"newMessage\"")) << got;
    ++packets;
  }
  EXPECT_EQ(packets, 3u);
  EXPECT_LT(got.find("\"one\""), got.find("\"two\"")) << got;
  EXPECT_LT(got.find("\"two\""), got.find("\"three\"")) << got;
}

TEST_F(EdgePolling, IsReachedThroughWhicheverThreadAccepts) {
  config_.io_threads = 4;
  StartEdge();
  control_->AddMember("den", "ann");
  std::vector<std::string> sids;
  for (int i = 0; i < 8; ++i) sids.push_back(Connect("ann"));

  // Some 40 connections, spread by the kernel.
  for (const std::string& sid : sids) {
    EXPECT_EQ(Post(sid, "421[\"joinRoom\",{\"roomId\":\"den\"}]").body, "ok");
    EXPECT_THAT(Get(sid).body, StartsWith("431[{\"ok\":true"));
  }
  control_->Post("den", "to all");
  for (const std::string& sid : sids) EXPECT_THAT(Get(sid).body, HasSubstr("to all"));

  std::set<std::string> threads;
  for (const std::string& sid : sids) threads.insert(sid.substr(0, 2));
  EXPECT_GT(threads.size(), 1U) << "eight connections all fell to one thread of four";
}

TEST_F(EdgePolling, ServesManySessionsOverOneConnection) {
  config_.io_threads = 4;
  StartEdge();
  std::vector<std::string> sids;
  for (int i = 0; i < 8; ++i) sids.push_back(Open());
  WsClient client(edge_->address());

  for (int round = 0; round < 3; ++round) {
    for (const std::string& sid : sids) {
      client.SendRaw(Request("POST", Target(sid),
                             "4"
                             "0/none,"));
      EXPECT_EQ(Read(client), (Answer{200, "ok"}));
      client.SendRaw(Request("GET", Target(sid)));
      EXPECT_THAT(Read(client).body, HasSubstr("Invalid namespace"));
    }
  }
}

TEST_F(EdgePolling, TakesPipelinedPostsOfSessionsElsewhere) {
  config_.io_threads = 4;
  StartEdge();
  std::string requests;
  for (int i = 0; i < 16; ++i) requests += Request("POST", Target(Open()), "40/none,");
  WsClient client(edge_->address());

  client.SendRaw(requests);

  for (int i = 0; i < 16; ++i) EXPECT_EQ(Read(client), (Answer{200, "ok"})) << i;
}

TEST_F(EdgePolling, AnswersByTheTableOfErrors) {
  StartEdge();
  const std::string sid = Open();
  const std::string base = "/socket.io/?EIO=4";
  const auto refusal = [](int code, const std::string& message) {
    return Answer{code == 4 ? 403 : 400,
                  "{\"code\":" + std::to_string(code) + ",\"message\":\"" + message + "\"}"};
  };

  EXPECT_EQ(Do("GET", base), refusal(0, "Transport unknown"));
  EXPECT_EQ(Do("GET", base + "&transport=abc&sid=" + sid), refusal(0, "Transport unknown"));
  EXPECT_EQ(Get("abc"), refusal(1, "Session ID unknown"));
  EXPECT_EQ(Get(std::string(24, 'A')), refusal(1, "Session ID unknown"));
  EXPECT_EQ(Do("POST", kPolling), refusal(2, "Bad handshake method"));
  EXPECT_EQ(Do("PUT", kPolling), refusal(2, "Bad handshake method"));
  EXPECT_EQ(Do("OPTIONS", kPolling), refusal(2, "Bad handshake method"));
  EXPECT_EQ(Do("GET", base + "&transport=websocket"), refusal(3, "Bad request"));
  EXPECT_EQ(Do("GET", base + "&transport=websocket&sid=" + sid), refusal(3, "Bad request"));
  EXPECT_EQ(Do("PUT", Target(sid)), refusal(3, "Bad request"));
  EXPECT_EQ(Do("POST", Target(sid), "6", "Content-Type: application/octet-stream\r\n"),
            refusal(3, "Bad request"));
  EXPECT_EQ(Do("GET", kPolling, "", "Origin: http://evil.example\r\n"), refusal(4, "Forbidden"));
  for (const char* version : {"EIO=3", "EIO=5", "EIO=abc", "EIO=", "x=1"}) {
    EXPECT_EQ(Do("GET", std::string("/socket.io/?transport=polling&") + version),
              refusal(5, "Unsupported protocol version"));
  }
  EXPECT_EQ(Post(sid, "6"), (Answer{200, "ok"})) << "and the session is unharmed";
  EXPECT_THAT(Do("GET", "/socket.io?EIO=4&transport=polling").body, HasSubstr("with the slash"));
}

TEST_F(EdgePolling, StandsAtTheConfiguredPath) {
  config_.socketio_path = "/chat/live/";
  StartEdge();

  EXPECT_EQ(Do("GET", "/chat/live/?EIO=4&transport=polling").status, 200);
  EXPECT_EQ(Do("GET", "/socket.io/?EIO=4&transport=polling").status, 404);
  WsClient client(edge_->address());
  EXPECT_EQ(client.Upgrade("/chat/live/?EIO=4&transport=websocket"), 101);
  edge_.reset();
  for (const char* path : {"", "/", "chat/", "/chat", "/a?b/"}) {
    config_.socketio_path = path;
    EXPECT_FALSE(config_.Validate().ok()) << path;
  }
}

TEST_F(EdgePolling, PutsCorsHeadersOnEveryAnswer) {
  config_.allowed_origins = {"https://app.example"};
  StartEdge();
  const std::string origin = "Origin: https://app.example\r\n";
  const std::string sid = Open();
  const auto head_of = [&](const std::string& request) {
    WsClient client(edge_->address());
    client.SendRaw(request);
    client.ReadStatus();
    return client.head();
  };
  const auto cors =
      AllOf(HasSubstr("Access-Control-Allow-Origin: https://app.example\r\n"),
            HasSubstr("Access-Control-Allow-Credentials: true"), HasSubstr("Vary: Origin"));
  const std::string preflight = origin +
                                "Access-Control-Request-Method: POST\r\n"
                                "Access-Control-Request-Headers: content-type,x-a\r\n";

  EXPECT_THAT(head_of(Request("GET", kPolling, "", origin)), cors);
  EXPECT_THAT(head_of(Request("POST", Target(sid), "6", origin)), cors);
  EXPECT_THAT(head_of(Request("GET", Target("gone"), "", origin)), cors);
  EXPECT_THAT(head_of(Request("GET", "/socket.io/?EIO=3", "", origin)), cors);
  EXPECT_THAT(head_of("POST " + Target(sid) + " HTTP/1.1\r\n" + origin +
                      "Content-Length: 99999999\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 413"), cors));
  EXPECT_THAT(head_of(Request("OPTIONS", Target("gone"), "", preflight)),
              AllOf(StartsWith("HTTP/1.1 204"), cors, HasSubstr("POST"),
                    HasSubstr("Access-Control-Allow-Headers: content-type,x-a")));
  EXPECT_THAT(head_of(Request("GET", kPolling, "", "Origin: https://evil.example\r\n")),
              AllOf(StartsWith("HTTP/1.1 403"), Not(HasSubstr("Allow-Origin"))));
}

TEST_F(EdgePolling, SaysThatItIsNotToBeCached) {
  StartEdge();
  WsClient client(edge_->address());

  client.SendRaw(Request("GET", kPolling));
  client.ReadStatus();

  EXPECT_THAT(client.head(), AllOf(HasSubstr("Content-Type: text/plain; charset=UTF-8"),
                                   HasSubstr("Cache-Control: no-store")));
}

TEST_F(EdgePolling, EndsWhenTwoGetsOverlap) {
  StartEdge();
  const std::string sid = Open();
  WsClient held = Hold(sid);

  EXPECT_EQ(Get(sid), (Answer{400, kBadRequest}));

  EXPECT_EQ(Read(held), (Answer{200, "1"}));
  EXPECT_EQ(Get(sid), (Answer{400, kUnknown}));
}

TEST_F(EdgePolling, EndsWhenTwoPostsOverlap) {
  StartEdge();
  const std::string sid = Open();
  WsClient slow(edge_->address());
  slow.SendRaw("POST " + Target(sid) + " HTTP/1.1\r\nContent-Length: 8\r\n\r\n40");
  EXPECT_EQ(slow.ReadStatus(milliseconds(50)), 0);

  EXPECT_EQ(Post(sid, "6"), (Answer{400, kBadRequest}));

  slow.SendRaw("/none,");
  EXPECT_EQ(Read(slow), (Answer{400, kUnknown}));
  EXPECT_EQ(Get(sid), (Answer{400, kUnknown}));
}

TEST_F(EdgePolling, EndsWhenAHeldGetIsGivenUp) {
  StartEdge();
  const std::string sid = Open();
  { WsClient held = Hold(sid); }
  EXPECT_EQ(Get(sid).status, 400);
}

TEST_F(EdgePolling, OutlivesTheConnectionsOfItsRequests) {
  StartEdge();
  const std::string sid = Open();
  for (int i = 0; i < 3; ++i) {
    WsClient client(edge_->address());
    client.SendRaw(Request("POST", Target(sid), "6"));
    EXPECT_EQ(Read(client).status, 200);
  }
  EXPECT_EQ(Post(sid, "40/none,").body, "ok");
  EXPECT_THAT(Get(sid).body, HasSubstr("Invalid namespace"));
}

TEST_F(EdgePolling, ClosesWhenTheClientSaysSo) {
  StartEdge();
  const std::string sid = Open();
  WsClient held = Hold(sid);

  EXPECT_EQ(Post(sid, "1").body, "ok");

  EXPECT_EQ(Read(held), (Answer{200, "6"}));
  EXPECT_EQ(Get(sid), (Answer{400, kUnknown}));
}

TEST_F(EdgePolling, AnswersTheGetThatCrossedTheClose) {
  StartEdge();
  const std::string sid = Open();

  EXPECT_EQ(Post(sid, "1").body, "ok");

  EXPECT_EQ(Get(sid), (Answer{200, "6"}));
  EXPECT_EQ(Get(sid), (Answer{400, kUnknown}));
}

TEST_F(EdgePolling, EndsOnPacketsThatAreNone) {
  StartEdge();
  for (const std::string body : {"", "abc", "7", "2", "6\x1e", "\x1e", "4", "b!", "4\xff\xfe"}) {
    const std::string sid = Open();
    EXPECT_EQ(Post(sid, body).status, 400) << body;
    EXPECT_EQ(Get(sid), (Answer{400, kUnknown})) << body;
  }
}

TEST_F(EdgePolling, TakesPacketsUpToTheFirstBadOne) {
  StartEdge();
  const std::string sid = Open();
  WsClient held = Hold(sid);

  EXPECT_EQ(Post(sid,
                 "40/a,\x1e"
                 "40/b,\x1e"
                 "x\x1e"
                 "40/c,")
                .status,
            400);

  const std::string got = Read(held).body;
  EXPECT_THAT(got, AllOf(HasSubstr("/a,"), HasSubstr("/b,"), Not(HasSubstr("/c,"))));
  EXPECT_EQ(got.substr(got.size() - 2),
            "\x1e"
            "1");
}

TEST_F(EdgePolling, RefusesABodyAboveTheLimitAndStays) {
  StartEdge();
  const std::string sid = Open();

  EXPECT_EQ(Post(sid, "4" + std::string(65'536, 'x')).status, 413);
  const std::string chunk = "4000\r\n" + std::string(0x4000, '6') + "\r\n";
  WsClient chunked(edge_->address());
  chunked.SendRaw("POST " + Target(sid) + " HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" +
                  chunk + chunk + chunk + chunk + chunk);
  EXPECT_EQ(chunked.ReadStatus(), 413);

  EXPECT_EQ(Post(sid, "40/none,").body, "ok");
  EXPECT_THAT(Get(sid).body, HasSubstr("Invalid namespace"));
}

TEST_F(EdgePolling, KeepsEachAnswerBelowTheLimitOfAPayload) {
  StartEdge();
  control_->AddMember("den", "ann");
  const std::string sid = Connect("ann");
  Post(sid, "421[\"joinRoom\",{\"roomId\":\"den\"}]");
  EXPECT_THAT(Get(sid).body, StartsWith("431["));
  for (int i = 0; i < 40; ++i) control_->Post("den", std::string(8'000, 'x'));

  int events = 0;
  while (events < 40) {
    const Answer answer = Get(sid);
    ASSERT_EQ(answer.status, 200);
    EXPECT_LE(answer.body.size(), 65'536U);
    events += 1 + static_cast<int>(std::count(answer.body.begin(), answer.body.end(), '\x1e'));
  }
}

TEST_F(EdgePolling, CutsAReaderThatNeverComesAndTellsItWhenItDoes) {
  config_.outbox_bytes_limit = 256 * 1024;
  config_.stall_time_limit = absl::Seconds(1);
  StartEdge();
  control_->AddMember("den", "ann");
  const std::string sid = Connect("ann");
  Post(sid, "421[\"joinRoom\",{\"roomId\":\"den\"}]");
  EXPECT_THAT(Get(sid).body, StartsWith("431["));

  for (int i = 0; i < 60; ++i) control_->Post("den", std::string(8'000, 'x'));
  EXPECT_TRUE(control_->WaitUntil([](const auto& items) {
    return std::any_of(items.begin(), items.end(),
                       [](const auto& item) { return item.has_connection_closed(); });
  }));

  EXPECT_THAT(Get(sid).body, HasSubstr("SLOW_READER"));
  EXPECT_EQ(Get(sid), (Answer{200, "1"})) << "alone: a client drops what comes with it";
  EXPECT_EQ(Get(sid), (Answer{400, kUnknown}));
}

TEST_F(EdgePolling, TellsWhyATokenWasRefused) {
  StartEdge();
  const std::string sid = Open();

  Post(sid, "40{\"token\":\"bad\"}");

  EXPECT_THAT(Get(sid).body, StartsWith("44{"));
  EXPECT_EQ(Get(sid), (Answer{200, "1"}));
  EXPECT_EQ(Get(sid), (Answer{400, kUnknown}));
}

TEST_F(EdgePolling, BeatsWhileNoGetIsOpen) {
  config_.ping_interval = absl::Milliseconds(500);
  config_.ping_timeout = absl::Seconds(2);
  StartEdge();
  const std::string sid = Connect("ann");

  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Get(sid), (Answer{200, "2"})) << i;
    EXPECT_EQ(Post(sid, "3").body, "ok");
  }
  EXPECT_EQ(Get(sid).body, "2");
  WsClient held = Hold(sid);
  EXPECT_THAT(Read(held).body, AllOf(HasSubstr("PING_TIMEOUT"), testing::EndsWith("\x1e"
                                                                                  "1")));
  EXPECT_EQ(Get(sid), (Answer{400, kUnknown}));
}

TEST_F(EdgePolling, IsForgottenAtOnceWhereNobodyShowsAToken) {
  config_.open_time_limit = absl::Seconds(1);
  config_.io_threads = 1;
  StartEdge();
  const std::string left = Open();
  WsClient held = Hold(Open());

  EXPECT_EQ(Read(held), (Answer{200, "1"}));
  EXPECT_EQ(Get(left), (Answer{400, kUnknown}));
}

TEST_F(EdgePolling, EndsWithTheServer) {
  StartEdge();
  const std::string sid = Connect("ann");
  const std::string idle = Connect("ben");
  WsClient held = Hold(sid);

  edge_->Stop(absl::Seconds(10));

  EXPECT_THAT(Read(held).body, HasSubstr("SERVER_STOPPING"));
}

}  // namespace
}  // namespace confab::tests
