// Attach over real gRPC, within the process.
#include "control/edge_link/edge_link_service.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "control/dispatch/edge_calls.h"
#include "tests/control/dispatch/control_bench.h"
#include "tests/control/dispatch/recovery_words.h"

namespace confab::control {
namespace {

class EdgeLinkTest : public ControlBench {
 protected:
  EdgeLinkTest()
      : service_(
            *dispatcher_, "c1", [this](const auto&) { return admitted_; },
            [](std::string_view token, std::string_view method) -> absl::StatusOr<std::string> {
              if (token == "good") return "svc";
              if (token == "notifier" && method == "/confab.v1.NotificationService/Notify") {
                return "svc";
              }
              return RefusalStatus(v1::REASON_TOKEN_INVALID, "not good");
            }) {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = v1::EdgeLinkService::NewStub(server_->InProcessChannel({}));
  }
  ~EdgeLinkTest() override {
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
  }

  // One attached edge, as a blocking client.
  struct Link {
    Link(v1::EdgeLinkService::Stub& stub, const std::string& edge, uint64_t epoch) {
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      stream = stub.Attach(&context);
      v1::EdgeItem item;
      item.mutable_hello()->set_edge_id(edge);
      item.mutable_hello()->set_epoch(epoch);
      item.mutable_hello()->set_last(true);
      Send(item);
    }
    void Send(const v1::EdgeItem& item) {
      v1::AttachRequest request;
      *request.add_items() = item;
      stream->Write(request);
    }
    void Open(uint64_t connection, const std::string& user) {
      v1::EdgeItem item;
      item.mutable_connection_opened()->set_connection(connection);
      item.mutable_connection_opened()->mutable_user()->set_id(user);
      Send(item);
    }
    void Send(const EdgeCommand& command) {
      v1::EdgeItem item;
      *item.mutable_command() = command.command;
      Send(item);
    }
    // The next items, until one of them is `last`. Stops at the end of the stream.
    Lines ReadUntil(const std::string& last) {
      Lines lines;
      while (true) {
        while (next < batch.items_size()) {
          lines.push_back(LineOf(batch.items(next++)));
          if (lines.back() == last) return lines;
        }
        next = 0;
        if (!stream->Read(&batch)) return lines;
      }
    }
    grpc::Status Finish() {
      ReadUntil("never");
      return stream->Finish();
    }
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReaderWriter<v1::AttachRequest, v1::AttachResponse>> stream;
    v1::AttachResponse batch;
    int next = 0;
  };
  std::unique_ptr<Link> Attach(const std::string& edge = "e1", uint64_t epoch = 1) {
    return std::make_unique<Link>(*stub_, edge, epoch);
  }

  absl::Status admitted_;
  EdgeLinkService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::EdgeLinkService::Stub> stub_;
};

TEST_F(EdgeLinkTest, WelcomesThenServesCommands) {
  MakeRoom("a", {"ann"});
  auto link = Attach();
  link->Open(1, "ann");
  link->Send(TestEdge::Join(1, "ann", 5, "a"));
  link->Send(TestEdge::Post(1, "ann", 6, "a", "hi"));

  EXPECT_EQ(link->ReadUntil("result 6 ok"),
            (Lines{"welcome", "subscribe 1 room:a 1", "result 5 ok", "event 2 hi", "result 6 ok"}));

  link->stream->WritesDone();
  EXPECT_TRUE(link->Finish().ok());
}

TEST_F(EdgeLinkTest, RefusesWhoIsNotAdmitted) {
  admitted_ = absl::UnauthenticatedError("no token");
  EXPECT_EQ(Attach()->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(EdgeLinkTest, RefusesWhileItDoesNotServe) {
  dispatcher_->Stop();
  EXPECT_EQ(Attach()->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(EdgeLinkTest, EndsStreamsWhenControlStops) {
  auto link = Attach();
  link->ReadUntil("welcome");
  dispatcher_->Stop();
  EXPECT_EQ(link->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

// The edge sends it again to the next control.
TEST_F(EdgeLinkTest, AnswersWhatIsCommittedAndNotTheRestWhenControlStops) {
  MakeRoom("a", {"ann"});
  auto link = Attach();
  link->Open(1, "ann");
  store_->Block(storage::StoreCall::kAppend);
  link->Send(TestEdge::Post(1, "ann", 6, "a", "under way"));
  ASSERT_TRUE(store_->WaitUntilBlocked(storage::StoreCall::kAppend));
  link->Send(TestEdge::Post(1, "ann", 7, "a", "behind it"));
  link->Send(TestEdge::History(1, "ann", 8, "a"));
  link->ReadUntil("result 8 ok");

  std::thread stop([this] { dispatcher_->Stop(); });
  while (dispatcher_->is_serving()) std::this_thread::yield();
  store_->Unblock(storage::StoreCall::kAppend);
  const Lines lines = link->ReadUntil("never");
  stop.join();

  EXPECT_THAT(lines, testing::Contains("result 6 ok"));
  for (const std::string& line : lines) {
    EXPECT_THAT(line, testing::Not(testing::HasSubstr("UNAVAILABLE")));
  }
  EXPECT_EQ(link->stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(EdgeLinkTest, KnowsWhatAnEdgeCarriesAndThatItDrains) {
  auto link = Attach("e1", 5);
  link->ReadUntil("welcome");
  link->Open(1, "ann");
  link->Open(2, "ben");
  v1::EdgeItem item;
  item.mutable_connection_closed()->set_connection(1);
  link->Send(item);
  item.mutable_draining()->set_remaining_ms(1'000);
  link->Send(item);
  link->Send(TestEdge::History(2, "ben", 3, "nowhere"));
  link->ReadUntil("result 3 ROOM_NOT_FOUND");

  const auto edges = dispatcher_->edges().All();
  ASSERT_EQ(edges.size(), 1U);
  EXPECT_EQ(edges[0]->edge_id(), "e1");
  EXPECT_EQ(edges[0]->sockets(), 1);
  EXPECT_TRUE(edges[0]->is_draining());
}

TEST_F(EdgeLinkTest, TellsAnEdgeToDrainOnceThatIsRecorded) {
  auto link = Attach("e1");
  link->ReadUntil("welcome");
  const auto drain = [this](const std::string& edge, absl::Duration time) {
    Awaited<EdgeTold> told;
    EdgeCalls(*dispatcher_).Drain(edge, time, {{}, "ops", "r1"}, Soon(), told.callback());
    return told.Get().status();
  };

  EXPECT_TRUE(absl::IsNotFound(drain("e2", absl::ZeroDuration())));
  EXPECT_TRUE(absl::IsInvalidArgument(drain("e1", absl::Hours(2))));
  store_->Fail(storage::StoreCall::kWriteAudit, absl::InvalidArgumentError("broken"));
  EXPECT_FALSE(drain("e1", absl::Seconds(6)).ok());
  EXPECT_TRUE(drain("e1", absl::Seconds(7)).ok());

  EXPECT_EQ(link->ReadUntil("drain 7000"), (Lines{"drain 7000"}));
  const auto acts = store_->ListAudit({});
  ASSERT_TRUE(acts.ok());
  ASSERT_EQ(acts->size(), 1U);
  EXPECT_EQ(acts->front().note.act, "edge.drain");
  EXPECT_EQ(acts->front().note.service, "ops");
  EXPECT_EQ(acts->front().note.request_id, "r1");
  EXPECT_EQ(acts->front().subject, storage::UserId("e1"));
  EXPECT_EQ(acts->front().result, "OK");
}

TEST_F(EdgeLinkTest, ClosesTheStreamThatALaterOneReplaces) {
  auto first = Attach("e1", 1);
  first->ReadUntil("welcome");
  auto second = Attach("e1", 2);
  second->ReadUntil("welcome");
  EXPECT_EQ(first->Finish().error_code(), grpc::StatusCode::ABORTED);
  auto past = Attach("e1", 1);
  EXPECT_EQ(past->Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(EdgeLinkTest, AnswersCommandsOfUnknownConnections) {
  auto link = Attach();
  link->Send(TestEdge::Join(9, "ann", 5, "a"));
  EXPECT_EQ(link->ReadUntil("result 5 INTERNAL").back(), "result 5 INTERNAL");
  link->Open(9, "ann");
  v1::EdgeItem closed;
  closed.mutable_connection_closed()->set_connection(9);
  link->Send(closed);
  link->Send(TestEdge::Join(9, "ann", 6, "a"));
  EXPECT_EQ(link->ReadUntil("result 6 INTERNAL").back(), "result 6 INTERNAL");
}

TEST_F(EdgeLinkTest, LetsOnlyServicesPublish) {
  MakeRoom("a", {"ann"});
  auto link = Attach();
  link->Open(1, "");  // Of an HTTP request: nobody.
  EdgeCommand publish = TestEdge::Ask(1, "", 5);
  publish.command.mutable_publish()->set_room_id("a");
  publish.command.mutable_publish()->set_content("from outside");
  publish.command.mutable_publish()->set_service_token("bad");

  link->Send(publish);
  EXPECT_EQ(link->ReadUntil("result 5 TOKEN_INVALID").back(), "result 5 TOKEN_INVALID");
  EXPECT_EQ(List("a")->events.size(), 1u);

  publish.command.set_request(6);
  publish.command.mutable_publish()->set_service_token("good");
  link->Send(publish);
  EXPECT_EQ(link->ReadUntil("result 6 ok").back(), "result 6 ok");
  EXPECT_EQ(List("a")->events.back().event.type, "system");

  // And nothing else of a connection without a user.
  link->Send(TestEdge::Post(1, "", 7, "a", "as the system?"));
  EXPECT_EQ(link->ReadUntil("result 7 BAD_REQUEST").back(), "result 7 BAD_REQUEST");
}

TEST_F(EdgeLinkTest, LetsOnlyServicesNotify) {
  auto link = Attach();
  link->Open(1, "");
  link->Open(2, "ann");
  EdgeCommand notify = TestEdge::Ask(1, "", 5);
  v1::OutgoingNotification& what = *notify.command.mutable_notify()->mutable_notification();
  what.set_user_id("nobody");
  what.set_event("sale");
  what.set_json("1");
  for (const auto& [token, result] : std::vector<std::pair<std::string, std::string>>{
           {"bad", "TOKEN_INVALID"}, {"notifier", "ok"}}) {
    notify.command.set_request(notify.command.request() + 1);
    notify.command.mutable_notify()->set_service_token(token);
    link->Send(notify);
    const std::string line = "result " + std::to_string(notify.command.request()) + " " + result;
    EXPECT_EQ(link->ReadUntil(line).back(), line);
  }
}

TEST_F(EdgeLinkTest, EndsAStreamThatBreaksTheRules) {
  auto link = Attach();
  v1::EdgeItem again;
  again.mutable_hello()->set_edge_id("e1");
  link->Send(again);
  EXPECT_EQ(link->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(EdgeLinkTest, DropsAStreamThatIsNotRead) {
  MakeRoom("a", {"ann"});
  auto link = Attach();
  link->Open(1, "ann");
  link->Send(TestEdge::Join(1, "ann", 5, "a"));
  link->ReadUntil("result 5 ok");
  const std::string content(3000, 'x');

  // 60 MiB: more than may wait, and more than gRPC itself holds.
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 1000; ++j) {
      ServicePost post;
      post.room = storage::RoomId("a");
      post.service = "test";
      post.content = content;
      dispatcher_->PostAsService(std::move(post), Soon(), [](const auto&) {});
    }
    EXPECT_TRUE(PostAsSystem("a", "this one is waited for").ok());
  }

  EXPECT_FALSE(link->Finish().ok());
}

TEST_F(EdgeLinkTest, ForgetsAnEdgeThatGoesWithoutAWord) {
  MakeRoom("a", {"ann"});
  auto link = Attach();
  link->Open(1, "ann");
  link->Send(TestEdge::Join(1, "ann", 5, "a"));
  link->ReadUntil("result 5 ok");
  link->context.TryCancel();
  EXPECT_FALSE(link->Finish().ok());
  EXPECT_TRUE(PostAsSystem("a", "hi").ok());
  auto again = Attach();
  EXPECT_EQ(again->ReadUntil("welcome"), Lines{"welcome"});
}

TEST_F(EdgeLinkTest, PassesOnWhatOneEdgeAsksAnother) {
  auto old_edge = Attach("old");
  auto new_edge = Attach("new");
  old_edge->ReadUntil("welcome");
  v1::EdgeItem question;
  *question.mutable_recovery_question() = QuestionOf("p", "old", 40);

  new_edge->Send(question);

  EXPECT_EQ(old_edge->ReadUntil("recover? old 40 ann"), Lines{"recover? old 40 ann"});
}

TEST_F(EdgeLinkTest, KeepsWhatAnEdgeHandsOver) {
  auto old_edge = Attach("old");
  auto new_edge = Attach("new");
  v1::EdgeItem handed;
  *handed.mutable_session_handed_over() = HandedOver("p", 40, "its sid");
  v1::EdgeItem question;
  *question.mutable_recovery_question() = QuestionOf("p", "dead", 40, 1);

  old_edge->Send(handed);
  old_edge->Send(question);  // Its answer says that what came before it was taken.
  EXPECT_EQ(old_edge->ReadUntil("recover 1 nothing"), (Lines{"welcome", "recover 1 nothing"}));
  *question.mutable_recovery_question() = QuestionOf("p", "old", 40, 7);
  new_edge->Send(question);

  EXPECT_EQ(new_edge->ReadUntil("recover 7 its sid"), (Lines{"welcome", "recover 7 its sid"}));
}

}  // namespace
}  // namespace confab::control
