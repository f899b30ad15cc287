// Recoveries between edges whose streams are recorded; the clock is the test's.
#include "control/dispatch/recoveries.h"

#include <memory>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/metrics.h"
#include "tests/control/dispatch/control_bench.h"
#include "tests/control/dispatch/recovery_words.h"
#include "tests/fakes/recording_edge_stream.h"

namespace confab::control {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RecoveriesTest : public testing::Test {
 protected:
  struct Edge {
    std::shared_ptr<RecordingEdgeStream> stream = std::make_shared<RecordingEdgeStream>();
    std::shared_ptr<Attachment> attachment;

    std::vector<std::string> lines() const { return stream->lines(); }
    // The number that control gave the last question.
    uint64_t ticket() const { return stream->items().back().recovery_question().ticket(); }
  };

  Edge Attach(const std::string& id, uint64_t epoch = 1) {
    Edge edge;
    edge.attachment = *edges_.Attach(id, epoch, edge.stream);
    return edge;
  }
  void Detach(Edge& edge) {
    edge.attachment->MarkDetached();
    edges_.Detach(*edge.attachment);
    recoveries_.Detach(*edge.attachment, now_);
  }
  void Ask(const Edge& edge, const v1::RecoveryQuestion& question) {
    recoveries_.Ask(edge.attachment, question, now_);
  }
  void Answer(const Edge& edge, uint64_t ticket, const v1::LostSession* session) {
    v1::RecoveryAnswer answer;
    answer.set_ticket(ticket);
    if (session != nullptr) *answer.mutable_session() = *session;
    recoveries_.OnAnswer(*edge.attachment, std::move(answer), now_);
  }
  void HandOver(const Edge& edge, const v1::SessionHandedOver& handed) {
    recoveries_.HandOver(*edge.attachment, handed, now_);
  }

  process::Metrics metrics_;
  EdgeRegistry edges_;
  Recoveries recoveries_{edges_, metrics_};
  KeptSessions::SteadyTime now_{std::chrono::hours(1)};
  Edge old_ = Attach("old");
  Edge new_ = Attach("new");
};

TEST_F(RecoveriesTest, AsksTheEdgeThatHasIt) {
  Ask(new_, QuestionOf("p", "old", 40, 7));
  EXPECT_THAT(old_.lines(), ElementsAre("recover? old 40 ann"));
  EXPECT_THAT(new_.lines(), IsEmpty());
  EXPECT_EQ(old_.stream->items()[0].recovery_question().pid(), "p");

  const v1::LostSession found = Lost("p", "its sid");
  Answer(old_, old_.ticket(), &found);

  EXPECT_THAT(new_.lines(), ElementsAre("recover 7 its sid"));
  const std::vector<v1::ControlItem> items = new_.stream->items();
  EXPECT_EQ(items[0].recovery_answer().session().SerializeAsString(), found.SerializeAsString());
}

TEST_F(RecoveriesTest, TellsEachAskerItsOwn) {
  const Edge third = Attach("third");
  Ask(new_, QuestionOf("p", "old", 40, 7));
  const uint64_t first = old_.ticket();
  Ask(third, QuestionOf("q", "old", 41, 7));
  const uint64_t second = old_.ticket();
  const v1::LostSession p = Lost("p", "sid-p");

  Answer(old_, second, nullptr);
  Answer(old_, first, &p);

  EXPECT_NE(first, second);
  EXPECT_THAT(new_.lines(), ElementsAre("recover 7 sid-p"));
  EXPECT_THAT(third.lines(), ElementsAre("recover 7 nothing"));
}

TEST_F(RecoveriesTest, HasNothingWhereNobodyCanBeAsked) {
  v1::RecoveryQuestion of_an_earlier_start = QuestionOf("p", "old", 40, 2);
  of_an_earlier_start.set_epoch(0);
  v1::RecoveryQuestion too_large = QuestionOf(std::string(2'000, 'p'), "old", 40, 5);

  Ask(new_, QuestionOf("p", "dead", 40, 1));
  Ask(new_, of_an_earlier_start);
  Ask(new_, QuestionOf("p", "new", 40, 3));
  Ask(new_, QuestionOf("", "old", 40, 4));
  Ask(new_, too_large);

  EXPECT_THAT(new_.lines(),
              ElementsAre("recover 1 nothing", "recover 2 nothing", "recover 3 nothing",
                          "recover 4 nothing", "recover 5 nothing"));
  EXPECT_THAT(old_.lines(), IsEmpty());
}

TEST_F(RecoveriesTest, TakesAnAnswerOnceAndOfWhoWasAsked) {
  const Edge third = Attach("third");
  const v1::LostSession found = Lost("p");
  Ask(new_, QuestionOf("p", "old", 40));
  const uint64_t ticket = old_.ticket();

  Answer(third, ticket, &found);
  EXPECT_THAT(new_.lines(), IsEmpty());
  Answer(old_, ticket, &found);
  Answer(old_, ticket, &found);
  Answer(old_, ticket + 1, &found);

  EXPECT_THAT(new_.lines(), ElementsAre("recover 7 sid"));
}

TEST_F(RecoveriesTest, TellsNoSessionThatWasNotAskedFor) {
  v1::LostSession of_bob = Lost("p");
  of_bob.set_user_id("bob");
  v1::LostSession too_large = Lost("p");
  too_large.mutable_rooms(0)->set_room_id(std::string(Recoveries::kSessionBytesLimit, 'r'));
  const v1::LostSession another = Lost("q");

  for (const v1::LostSession& wrong : {of_bob, too_large, another}) {
    Ask(new_, QuestionOf("p", "old", 40));
    Answer(old_, old_.ticket(), &wrong);
  }

  EXPECT_THAT(new_.lines(),
              ElementsAre("recover 7 nothing", "recover 7 nothing", "recover 7 nothing"));
}

TEST_F(RecoveriesTest, DropsAnAnswerThatComesTooLate) {
  const v1::LostSession found = Lost("p");
  Ask(new_, QuestionOf("p", "old", 40));

  now_ += Recoveries::kWait;
  Answer(old_, old_.ticket(), &found);

  EXPECT_THAT(new_.lines(), IsEmpty()) << "its edge waits no longer either";
}

TEST_F(RecoveriesTest, WaitsForNoEdgeThatDies) {
  Ask(new_, QuestionOf("p", "old", 40, 1));
  Ask(new_, QuestionOf("q", "old", 40, 2));

  Detach(old_);

  EXPECT_THAT(new_.lines(), ElementsAre("recover 1 nothing", "recover 2 nothing"));
}

TEST_F(RecoveriesTest, TellsNobodyWhoHasDied) {
  const v1::LostSession found = Lost("p");
  Ask(new_, QuestionOf("p", "old", 40));
  Detach(new_);

  Answer(old_, old_.ticket(), &found);

  EXPECT_THAT(new_.lines(), IsEmpty());
}

TEST_F(RecoveriesTest, AsksNoMoreThanMayBeUnderWay) {
  for (size_t i = 0; i < Recoveries::kUnderWayLimit; ++i) {
    Ask(new_, QuestionOf(absl::StrCat("p", i), "old", 40));
  }
  ASSERT_EQ(old_.stream->size(), Recoveries::kUnderWayLimit);

  Ask(new_, QuestionOf("p", "old", 40, 1));
  EXPECT_THAT(new_.lines(), ElementsAre("recover 1 nothing"));

  now_ += Recoveries::kWait;
  Ask(new_, QuestionOf("p", "old", 40, 2));
  EXPECT_EQ(old_.stream->size(), Recoveries::kUnderWayLimit + 1) << "the others wait no longer";
}

TEST_F(RecoveriesTest, AnswersFromMemoryWhatWasHandedOver) {
  HandOver(old_, HandedOver("p", 40, "its sid"));
  Detach(old_);

  Ask(new_, QuestionOf("p", "old", 40, 1));
  Ask(new_, QuestionOf("p", "old", 40, 2));

  EXPECT_THAT(new_.lines(), ElementsAre("recover 1 its sid", "recover 2 nothing"));
}

TEST_F(RecoveriesTest, AsksNobodyForWhatWasHandedOver) {
  HandOver(old_, HandedOver("p", 40, "its sid"));

  Ask(new_, QuestionOf("p", "old", 40, 1));

  EXPECT_THAT(new_.lines(), ElementsAre("recover 1 its sid"));
  EXPECT_THAT(old_.lines(), IsEmpty());
}

TEST_F(RecoveriesTest, GivesAnotherUserNothingAndLeavesItToItsOwn) {
  HandOver(old_, HandedOver("p", 40, "its sid"));
  Detach(old_);
  v1::RecoveryQuestion of_bob = QuestionOf("p", "old", 40, 1);
  of_bob.set_user_id("bob");

  Ask(new_, of_bob);
  Ask(new_, QuestionOf("p", "old", 40, 2));

  EXPECT_THAT(new_.lines(), ElementsAre("recover 1 nothing", "recover 2 its sid"));
}

TEST_F(RecoveriesTest, GivesNothingWhereTheClientHasNotGotEverything) {
  HandOver(old_, HandedOver("p", 40));
  Detach(old_);

  Ask(new_, QuestionOf("p", "old", 39, 1));

  EXPECT_THAT(new_.lines(), ElementsAre("recover 1 nothing"));
}

TEST_F(RecoveriesTest, FindsWhatWasHandedOverWhileItWasAskedFor) {
  Ask(new_, QuestionOf("p", "old", 40, 1));
  HandOver(old_, HandedOver("p", 40, "its sid"));
  Answer(old_, old_.ticket(), nullptr);
  EXPECT_THAT(new_.lines(), ElementsAre("recover 1 its sid"));

  Ask(new_, QuestionOf("q", "old", 41, 2));
  HandOver(old_, HandedOver("q", 41, "another"));
  Detach(old_);
  EXPECT_THAT(new_.lines(), ElementsAre("recover 1 its sid", "recover 2 another"));
}

TEST_F(RecoveriesTest, GivesASessionOfAnEdgeThatHasStartedAnew) {
  HandOver(old_, HandedOver("p", 40, "its sid"));
  Detach(old_);
  const Edge anew = Attach("old", 2);

  Ask(anew, QuestionOf("p", "old", 40, 1));

  EXPECT_THAT(anew.lines(), ElementsAre("recover 1 its sid"));
}

TEST_F(RecoveriesTest, KeepsNothingThatIsNoSession) {
  v1::SessionHandedOver of_nobody = HandedOver("p", 40);
  of_nobody.mutable_session()->clear_user_id();
  v1::SessionHandedOver too_large = HandedOver("q", 40);
  too_large.mutable_session()->mutable_rooms(0)->set_room_id(
      std::string(Recoveries::kSessionBytesLimit, 'r'));

  HandOver(old_, of_nobody);
  HandOver(old_, too_large);
  HandOver(old_, HandedOver("", 40));
  HandOver(old_, HandedOver(std::string(65, 'p'), 40));
  HandOver(old_, HandedOver("r", 40, ""));

  EXPECT_THAT(metrics_.Render(), HasSubstr("confab_control_sessions_kept 0\n"));
}

TEST_F(RecoveriesTest, CountsWhereSessionsWereFound) {
  const v1::LostSession found = Lost("p");
  HandOver(old_, HandedOver("q", 40));
  HandOver(old_, HandedOver("r", 40));
  EXPECT_THAT(metrics_.Render(), HasSubstr("confab_control_sessions_kept 2\n"));

  Ask(new_, QuestionOf("p", "old", 40));
  Answer(old_, old_.ticket(), &found);
  Ask(new_, QuestionOf("q", "old", 40));
  Ask(new_, QuestionOf("q", "dead", 40));
  Ask(new_, QuestionOf("q", "old", 40));
  recoveries_.Tidy(now_ + KeptSessions::kLife);

  const std::string shown = metrics_.Render();
  EXPECT_THAT(shown, HasSubstr("confab_control_recoveries_total{from=\"edge\"} 1\n"));
  EXPECT_THAT(shown, HasSubstr("confab_control_recoveries_total{from=\"memory\"} 1\n"));
  EXPECT_THAT(shown, HasSubstr("confab_control_recoveries_total{from=\"nowhere\"} 2\n"));
  EXPECT_THAT(shown, HasSubstr("confab_control_sessions_kept 0\n"));
}

// Through the dispatcher, which knows when an edge goes.
class RecoveryDispatch : public ControlBench {};

TEST_F(RecoveryDispatch, AnswersForAnEdgeThatDiesWhileItIsAsked) {
  TestEdge old_edge(*dispatcher_, "old");
  TestEdge new_edge(*dispatcher_, "new");
  const auto now = std::chrono::steady_clock::now();
  dispatcher_->recoveries().Ask(new_edge.attachment(), QuestionOf("p", "old", 40, 7), now);
  ASSERT_TRUE(old_edge.stream().AwaitLine("recover? old 40 ann"));

  old_edge.Detach();

  EXPECT_TRUE(new_edge.stream().AwaitLine("recover 7 nothing"));
}

TEST_F(RecoveryDispatch, KeepsWhatAnEdgeHandsOverBeforeItGoes) {
  TestEdge old_edge(*dispatcher_, "old");
  TestEdge new_edge(*dispatcher_, "new");
  const auto now = std::chrono::steady_clock::now();
  dispatcher_->recoveries().HandOver(*old_edge.attachment(), HandedOver("p", 40, "its sid"), now);
  old_edge.Detach();

  dispatcher_->recoveries().Ask(new_edge.attachment(), QuestionOf("p", "old", 40, 7), now);

  EXPECT_TRUE(new_edge.stream().AwaitLine("recover 7 its sid"));
}

}  // namespace
}  // namespace confab::control
