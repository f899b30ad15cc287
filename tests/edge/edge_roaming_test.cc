// Clients of Socket.IO that come from another edge with the session they had there, and those that go
// to another one: what the edge asks control, what it answers, what it hands over.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"
#include "tests/support/eventually.h"

namespace confab::tests {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kPid[] = "0123456789abcdef0123456789abcdef";
constexpr char kOffset[] = "other.example:8080.7.40";

// The text of a field of a JSON object; "" if there is none.
std::string FieldOf(const std::string& json, const std::string& name) {
  const std::string beginning = "\"" + name + "\":\"";
  const std::size_t at = json.find(beginning);
  if (at == std::string::npos) return "";
  const std::size_t from = at + beginning.size();
  return json.substr(from, json.find('"', from) - from);
}

// The number of the offset that ends an event.
std::uint64_t NumberOf(const std::string& event) {
  const std::size_t dot = event.rfind('.');
  return dot == std::string::npos ? 0 : std::strtoull(event.c_str() + dot + 1, nullptr, 10);
}

class EdgeRoaming : public EdgeTest {
 protected:
  EdgeRoaming() { config_.recovery = {"confab"}; }

  // Ann is a member of "den".
  void SetUp() override {
    StartEdge();
    control_->AddMember("den", "ann");
    // Who comes before that cannot be asked about.
    ASSERT_TRUE(tests::Eventually([this] { return edge_->Readiness().ok(); }));
  }

  struct Client {
    WsClient ws;
    std::string sid;
    std::string pid;
  };

  // Her CONNECT, with further fields of its payload; not answered yet.
  WsClient Connect(const std::string& more = "") {
    WsClient ws(edge_->address());
    EXPECT_EQ(ws.Upgrade(kSocketIoTarget), 101);
    EXPECT_TRUE(ws.ReadUntil("\"sid\"").has_value());
    ws.SendText("40{\"token\":\"" + TokenFor("ann") + "\"" + more + "}");
    return ws;
  }
  WsClient ComeFromElsewhere() {
    return Connect(std::string(",\"pid\":\"") + kPid + "\",\"offset\":\"" + kOffset + "\"");
  }
  // In the room, with a session of this edge.
  Client InTheDen() {
    Client client{Connect(), "", ""};
    const std::string answer = client.ws.ReadUntil("40{").value_or("");
    client.sid = FieldOf(answer, "sid");
    client.pid = FieldOf(answer, "pid");
    EXPECT_NE(client.pid, "");
    EXPECT_THAT(Ask(client.ws, 1, "joinRoom", R"({"roomId":"den"})"), HasSubstr("\"ok\":true"));
    return client;
  }
  // The number of the message's offset.
  std::uint64_t Hear(Client& client, const std::string& content) {
    control_->Post("den", content);
    return NumberOf(client.ws.ReadUntil(content).value_or(""));
  }

  // The first item that `is_it`; an empty one if none comes.
  template <typename Is>
  v1::EdgeItem Await(Is is_it) {
    v1::EdgeItem found;
    EXPECT_TRUE(control_->WaitUntil([&](const auto& sent) {
      const auto it = std::find_if(sent.begin(), sent.end(), is_it);
      if (it != sent.end()) found = *it;
      return it != sent.end();
    }));
    return found;
  }
  v1::RecoveryQuestion AwaitQuestion() {
    return Await([](const v1::EdgeItem& item) { return item.has_recovery_question(); })
        .recovery_question();
  }
  v1::SessionHandedOver AwaitHandedOver() {
    return Await([](const v1::EdgeItem& item) { return item.has_session_handed_over(); })
        .session_handed_over();
  }
  void Answer(std::uint64_t ticket, const std::optional<v1::LostSession>& session) {
    v1::ControlItem item;
    item.mutable_recovery_answer()->set_ticket(ticket);
    if (session) *item.mutable_recovery_answer()->mutable_session() = *session;
    control_->Say(std::move(item));
  }
  // Another edge asks for the client's session with the offset of that number.
  v1::RecoveryAnswer AskedFor(const Client& client, std::uint64_t n,
                              const std::string& user = "ann") {
    const std::uint64_t ticket = ++last_ticket_;
    v1::ControlItem item;
    v1::RecoveryQuestion& question = *item.mutable_recovery_question();
    question.set_ticket(ticket);
    question.set_edge_id(config_.edge_id);
    question.set_epoch(control_->Sent().at(0).hello().epoch());
    question.set_n(n);
    question.set_pid(client.pid);
    question.set_user_id(user);
    question.set_dialect("confab");
    question.set_namespace_("/");
    control_->Say(std::move(item));
    return Await([ticket](const v1::EdgeItem& sent) {
             return sent.has_recovery_answer() && sent.recovery_answer().ticket() == ticket;
           })
        .recovery_answer();
  }

  static v1::LostSession Theirs(std::int64_t after_seq) {
    v1::LostSession session;
    session.set_pid(kPid);
    session.set_sid("their-sid");
    session.set_user_id("ann");
    session.set_dialect("confab");
    session.set_namespace_("/");
    session.add_rooms()->set_room_id("den");
    session.mutable_rooms(0)->set_after_seq(after_seq);
    return session;
  }

  std::uint64_t last_ticket_ = 0;
};

TEST_F(EdgeRoaming, AsksTheEdgeThatTheOffsetNames) {
  WsClient ann = ComeFromElsewhere();

  const v1::RecoveryQuestion question = AwaitQuestion();

  EXPECT_EQ(question.edge_id(), "other.example:8080");
  EXPECT_EQ(question.epoch(), 7u);
  EXPECT_EQ(question.n(), 40u);
  EXPECT_EQ(question.pid(), kPid);
  EXPECT_EQ(question.user_id(), "ann");
  EXPECT_EQ(question.dialect(), "confab");
  EXPECT_EQ(question.namespace_(), "/");
  EXPECT_EQ(ann.Read(milliseconds(0)), std::nullopt) << "it is not known yet who it is";
}

TEST_F(EdgeRoaming, GoesOnWithTheSessionFromWhereItWas) {
  for (const char* content : {"one", "two", "three"}) control_->Post("den", content);
  WsClient ann = ComeFromElsewhere();

  Answer(AwaitQuestion().ticket(), Theirs(1));

  EXPECT_THAT(ann.Read().value_or(""),
              AllOf(StartsWith("40{"), HasSubstr("\"their-sid\""), HasSubstr(kPid)));
  EXPECT_THAT(ann.Read().value_or(""), AllOf(HasSubstr("newMessage"), HasSubstr("\"two\"")))
      << "the client knows its rooms";
  EXPECT_THAT(ann.Read().value_or(""), HasSubstr("\"three\""));
  control_->Post("den", "four");
  EXPECT_THAT(ann.Read().value_or(""), HasSubstr("\"four\""));
}

TEST_F(EdgeRoaming, BeginsAnewWhereThereIsNothing) {
  WsClient ann = ComeFromElsewhere();

  Answer(AwaitQuestion().ticket(), std::nullopt);

  EXPECT_THAT(ann.Read().value_or(""), AllOf(StartsWith("40{"), Not(HasSubstr(kPid))));
  EXPECT_THAT(ann.Read().value_or(""), HasSubstr("42[\"connected\""));
}

TEST_F(EdgeRoaming, BeginsAnewWithoutAnAnswerInTime) {
  WsClient ann = ComeFromElsewhere();
  AwaitQuestion();

  EXPECT_THAT(ann.Read().value_or(""), AllOf(StartsWith("40{"), Not(HasSubstr(kPid))));
}

// A handler of the stock client that was at work when the connection was lost acknowledges to the next.
TEST_F(EdgeRoaming, TakesAcksOfBeforeWhileTheSessionIsLookedFor) {
  WsClient ann = ComeFromElsewhere();
  AwaitQuestion();

  ann.SendText("4317[]");

  EXPECT_THAT(ann.Read().value_or(""), StartsWith("40{")) << "once nobody has answered";
}

// Its last character stands across the limit of what is looked at.
TEST_F(EdgeRoaming, AsksNothingOfWhatIsNoPid) {
  const std::string pid = std::string(191, 'a') + "\u00e9";
  WsClient ann = Connect(",\"pid\":\"" + pid + "\",\"offset\":\"" + kOffset + "\"");

  EXPECT_THAT(ann.Read().value_or(""), StartsWith("40{"));

  EXPECT_EQ(control_->CountSent(v1::EdgeItem::kRecoveryQuestion), 0u);
}

TEST_F(EdgeRoaming, TakesAnAnswerForWhoHasGone) {
  { WsClient ann = ComeFromElsewhere(); }
  Answer(AwaitQuestion().ticket(), Theirs(1));

  WsClient again = Connect();
  EXPECT_THAT(again.Read().value_or(""), AllOf(StartsWith("40{"), Not(HasSubstr(kPid))));
}

TEST_F(EdgeRoaming, TellsAnotherEdgeWhatItHasLost) {
  Client ann = InTheDen();
  const std::uint64_t n = Hear(ann, "one");
  { const WsClient gone = std::move(ann.ws); }
  control_->Post("den", "two");

  const v1::LostSession told = AskedFor(ann, n).session();

  EXPECT_EQ(told.sid(), ann.sid);
  EXPECT_EQ(told.pid(), ann.pid);
  EXPECT_EQ(told.user_id(), "ann");
  EXPECT_EQ(told.dialect(), "confab");
  EXPECT_EQ(told.namespace_(), "/");
  ASSERT_EQ(told.rooms_size(), 1);
  EXPECT_EQ(told.rooms(0).room_id(), "den");
  EXPECT_EQ(told.rooms(0).after_seq(), 1);
  EXPECT_FALSE(AskedFor(ann, n).has_session()) << "it is elsewhere now";
}

TEST_F(EdgeRoaming, EndsASocketWhoseClientIsElsewhereAlready) {
  Client ann = InTheDen();
  const std::uint64_t n = Hear(ann, "one");

  EXPECT_EQ(AskedFor(ann, n).session().sid(), ann.sid);

  EXPECT_TRUE(ann.ws.ReadClose().has_value());
}

TEST_F(EdgeRoaming, LeavesItsClientsAloneWhenAnotherUserAsks) {
  Client ann = InTheDen();
  const std::uint64_t n = Hear(ann, "one");

  EXPECT_FALSE(AskedFor(ann, n, "eve").has_session());

  EXPECT_NE(Hear(ann, "two"), 0u) << "she is still there";
  EXPECT_EQ(AskedFor(ann, n).session().sid(), ann.sid);
}

TEST_F(EdgeRoaming, HandsOverWhomItsDrainCloses) {
  constexpr char kTold[] = "\"server:closing\",{\"code\":4010";
  Client ann = InTheDen();
  Hear(ann, "one");

  edge_->BeginDrain(absl::Hours(1));  // A single client of its thread: its slot is now.

  std::string last;
  while (const auto told = ann.ws.ReadUntil(kTold, seconds(2))) last = *told;
  const v1::SessionHandedOver handed = AwaitHandedOver();
  EXPECT_EQ(handed.n(), NumberOf(last)) << last;
  EXPECT_EQ(handed.session().pid(), ann.pid);
  EXPECT_EQ(handed.session().sid(), ann.sid);
  EXPECT_EQ(handed.session().user_id(), "ann");
  EXPECT_EQ(handed.session().dialect(), "confab");
  EXPECT_EQ(handed.session().namespace_(), "/");
  ASSERT_EQ(handed.session().rooms_size(), 1);
  EXPECT_EQ(handed.session().rooms(0).room_id(), "den");
  EXPECT_EQ(handed.session().rooms(0).after_seq(), 1);
  EXPECT_FALSE(AskedFor(ann, handed.n()).has_session()) << "control has it";
}

TEST_F(EdgeRoaming, KeepsWhomItsDrainClosesWhileControlIsAway) {
  Client ann = InTheDen();
  std::uint64_t n = Hear(ann, "one");
  control_->Detach();

  edge_->BeginDrain(absl::Hours(1));
  while (const auto told = ann.ws.ReadUntil("\"server:closing\"", seconds(2))) n = NumberOf(*told);
  control_->Attach();

  const v1::LostSession session = AskedFor(ann, n).session();
  EXPECT_EQ(session.sid(), ann.sid);
  ASSERT_EQ(session.rooms_size(), 1);
  EXPECT_EQ(session.rooms(0).after_seq(), 1);
  EXPECT_EQ(control_->CountSent(v1::EdgeItem::kSessionHandedOver), 0u);
}

class EdgeWithoutRecovery : public EdgeRoaming {
 protected:
  EdgeWithoutRecovery() { config_.recovery.clear(); }
};

TEST_F(EdgeWithoutRecovery, HandsNothingOverAndAsksNothing) {
  WsClient ann = ComeFromElsewhere();
  EXPECT_THAT(ann.Read().value_or(""), AllOf(StartsWith("40{\"sid\""), Not(HasSubstr("pid"))));
  EXPECT_FALSE(AskedFor({Connect(), "", kPid}, 40).has_session());

  edge_->BeginDrain(absl::Seconds(1));
  EXPECT_EQ(ann.ReadClose(), 4010);

  EXPECT_EQ(control_->CountSent(v1::EdgeItem::kRecoveryQuestion), 0u);
  EXPECT_EQ(control_->CountSent(v1::EdgeItem::kSessionHandedOver), 0u);
}

}  // namespace
}  // namespace confab::tests
