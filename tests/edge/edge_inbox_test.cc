#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::HasSubstr;

constexpr char kPolling[] = "/socket.io/?EIO=4&transport=polling";

// Inboxes of clients whose dialect cannot acknowledge: the edge does it for them.
class EdgeInbox : public EdgeTest {
 protected:
  EdgeInbox() { config_.dialect = "events"; }

  std::uint64_t NumberOf(const std::string& user) {
    std::uint64_t number = 0;
    control_->WaitUntil([&](const std::vector<v1::EdgeItem>& sent) {
      for (const v1::EdgeItem& item : sent) {
        if (item.connection_opened().user().id() == user) {
          number = item.connection_opened().connection();
        }
      }
      return number != 0;
    });
    return number;
  }

  static v1::ControlItem Entry(const std::string& user, std::int64_t inbox_seq) {
    v1::ControlItem item;
    item.mutable_broadcast()->add_topics("user:" + user);
    v1::PushedNotification& pushed = *item.mutable_broadcast()->mutable_notification();
    pushed.mutable_notification()->set_event("note");
    pushed.mutable_notification()->set_json("{}");
    pushed.mutable_notification()->set_inbox_seq(inbox_seq);
    pushed.set_delivery_class(v1::DELIVERY_CLASS_LOGGED);
    return item;
  }

  // By one batch the connection is ended and gets an entry. Both of it belong to one io thread, which
  // says what it has acknowledged before it says that the connection is gone.
  void EndWithAnEntryBehind(const std::string& user) {
    const std::uint64_t number = NumberOf(user);
    v1::ControlItem close;
    close.mutable_close_connection()->set_connection(number);
    close.mutable_close_connection()->set_code(4503);
    control_->Say({std::move(close), Entry(user, 1)});
    ASSERT_TRUE(control_->WaitUntil([&](const std::vector<v1::EdgeItem>& sent) {
      return std::any_of(sent.begin(), sent.end(), [&](const v1::EdgeItem& item) {
        return item.connection_closed().connection() == number;
      });
    }));
  }

  bool HasAcknowledged() const {
    const std::vector<v1::EdgeItem> sent = control_->Sent();
    return std::any_of(sent.begin(), sent.end(),
                       [](const v1::EdgeItem& item) { return item.command().has_ack_inbox(); });
  }

  std::string Fetch(const std::string& method, const std::string& target, const std::string& body) {
    WsClient client(edge_->address());
    const std::string length =
        method == "POST" ? "Content-Length: " + std::to_string(body.size()) + "\r\n" : "";
    client.SendRaw(method + " " + target + " HTTP/1.1\r\nHost: x\r\n" + length + "\r\n" + body);
    client.ReadStatus();
    return client.ReadBody();
  }
};

TEST_F(EdgeInbox, AcknowledgesWhatWasWritten) {
  StartEdge();
  WsClient ann = OpenSocketIo("ann");
  NumberOf("ann");

  control_->Say(Entry("ann", 1));

  EXPECT_EQ(ann.Read().value_or(""), "42[\"note\",{}]");
  EXPECT_TRUE(control_->WaitUntil([](const std::vector<v1::EdgeItem>& sent) {
    return std::any_of(sent.begin(), sent.end(), [](const v1::EdgeItem& item) {
      return item.command().ack_inbox().inbox_seq() == 1;
    });
  }));
}

TEST_F(EdgeInbox, AcknowledgesNothingForAWebSocketThatIsClosing) {
  StartEdge();
  WsClient ann = OpenSocketIo("ann");

  EndWithAnEntryBehind("ann");

  EXPECT_FALSE(HasAcknowledged());
  EXPECT_EQ(ann.ReadClose(), 4503);
}

TEST_F(EdgeInbox, AcknowledgesNothingForAPollingClientThatIsClosing) {
  StartEdge();
  const std::string opened = Fetch("GET", kPolling, "");
  const std::string sid = opened.substr(9, opened.find('"', 9) - 9);
  const std::string target = std::string(kPolling) + "&sid=" + sid;
  EXPECT_EQ(Fetch("POST", target, "40{\"token\":\"" + TokenFor("ann") + "\"}"), "ok");
  std::string got;
  for (int i = 0; i < 5 && got.find("\"connected\"") == std::string::npos; ++i) {
    got += Fetch("GET", target, "");
  }
  ASSERT_THAT(got, HasSubstr("\"connected\""));

  EndWithAnEntryBehind("ann");

  EXPECT_FALSE(HasAcknowledged());
}

// Inboxes of clients that are asked for an ack of each entry.
class EdgeAskedAcks : public EdgeInbox {
 protected:
  EdgeAskedAcks() {
    std::string pattern = testing::TempDir() + "confab_dialects_XXXXXX";
    config_.dialect_dir = ::mkdtemp(pattern.data());
    config_.dialect = "tasks";
    std::ofstream(config_.dialect_dir + "/tasks.json")
        << R"({"dialect": "tasks", "refusals": {"default": {}}, "connected": {"name": "connected"},
               "notification": {"name": "$event", "payload": "$payload", "ack": true}})";
  }
  ~EdgeAskedAcks() override { std::filesystem::remove_all(config_.dialect_dir); }

  // `ann` with entries 1 to `last` told.
  WsClient TellEntries(std::int64_t last) {
    WsClient ann = OpenSocketIo("ann");
    NumberOf("ann");
    for (std::int64_t seq = 1; seq <= last; ++seq) {
      control_->Say(Entry("ann", seq));
      EXPECT_EQ(ann.Read().value_or(""), "42" + std::to_string(seq) + "[\"note\",{}]");
    }
    return ann;
  }
  bool AwaitAcknowledged(std::int64_t inbox_seq) {
    return control_->WaitUntil([&](const std::vector<v1::EdgeItem>& sent) {
      return std::any_of(sent.begin(), sent.end(), [&](const v1::EdgeItem& item) {
        return item.command().ack_inbox().inbox_seq() == inbox_seq;
      });
    });
  }
  std::vector<std::int64_t> Acknowledged() const {
    std::vector<std::int64_t> all;
    for (const v1::EdgeItem& item : control_->Sent()) {
      if (item.command().has_ack_inbox()) all.push_back(item.command().ack_inbox().inbox_seq());
    }
    return all;
  }
};

TEST_F(EdgeAskedAcks, AcknowledgeInOrderWhateverTheyHold) {
  StartEdge();
  WsClient ann = TellEntries(4);

  ann.SendText("432[]");
  ann.SendText("431[\"done\",{\"ok\":true}]");
  EXPECT_TRUE(AwaitAcknowledged(2));
  ann.SendText("433");  // Without arguments at all.
  EXPECT_TRUE(AwaitAcknowledged(3));
  ann.SendText("461-4[{\"_placeholder\":true,\"num\":0}]");
  ann.SendBinary("bytes");
  EXPECT_TRUE(AwaitAcknowledged(4));

  EXPECT_THAT(Acknowledged(), testing::ElementsAre(2, 3, 4));
}

TEST_F(EdgeAskedAcks, ThatComeAgainAndAgainEndTheirSender) {
  StartEdge();
  WsClient ann = TellEntries(2);

  for (int i = 0; i < 100; ++i) ann.SendText("431[]");

  EXPECT_EQ(ann.ReadClose(), 4008);
  EXPECT_THAT(Acknowledged(), testing::Each(1));
}

TEST_F(EdgeAskedAcks, ThatAreNoneCloseTheConnection) {
  StartEdge();
  for (const char* packet : {"431{}", "431[", "4301[]", "43/none,1[]", "431x"}) {
    WsClient ann = TellEntries(0);
    ann.SendText(packet);
    EXPECT_EQ(ann.ReadClose(), 4400) << packet;
  }
  EXPECT_FALSE(HasAcknowledged());
}

TEST_F(EdgeAskedAcks, ThatCameLastArePassedOnBeforeTheEnd) {
  StartEdge();
  control_->SetSilent(true);
  WsClient ann = OpenSocketIo("ann");
  NumberOf("ann");
  for (std::int64_t seq = 1; seq <= 3; ++seq) {
    control_->Say(Entry("ann", seq));
    ASSERT_TRUE(ann.Read().has_value());
  }

  for (const char* packet : {"431[]", "432[]", "41"}) ann.SendText(packet);

  EXPECT_TRUE(AwaitAcknowledged(2)) << "though the answer to the first is still awaited";
  EXPECT_THAT(Acknowledged(), testing::ElementsAre(1, 2));
}

}  // namespace
}  // namespace confab::tests
