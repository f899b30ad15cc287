#include "edge/event_run_finder.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

v1::ControlItem Event(std::int64_t seq, const std::string& topic = "room:a") {
  v1::ControlItem item;
  item.mutable_broadcast()->add_topics(topic);
  item.mutable_broadcast()->mutable_event()->mutable_event()->set_seq(seq);
  return item;
}

v1::ControlItem Posted(std::uint64_t connection) {
  v1::ControlItem item;
  item.mutable_result()->set_connection(connection);
  item.mutable_result()->mutable_post_message();
  return item;
}

v1::ControlItem Typing() {
  v1::ControlItem item;
  item.mutable_broadcast()->add_topics("room:a");
  item.mutable_broadcast()->mutable_signal()->mutable_typing();
  return item;
}

FoundRun Find(const std::vector<v1::ControlItem>& items, std::size_t from = 0) {
  auto all = std::make_shared<v1::AttachResponse>();
  ItemBatch batch;
  for (const v1::ControlItem& item : items) {
    // Every other item is another thread's.
    all->add_items();
    batch.items.push_back({.place = all->items_size()});
    *all->add_items() = item;
  }
  batch.batch = all;
  return FindRun(batch, from);
}

TEST(FindRun, TakesEventsOfOneTopic) {
  const FoundRun run = Find({Event(1), Event(2), Event(3)});

  EXPECT_EQ(run.events, 3u);
  EXPECT_EQ(run.end, 3u);
  EXPECT_THAT(run.askers, IsEmpty());
  EXPECT_EQ(Find({Event(1), Event(2), Event(3)}, 2).events, 1u);
}

TEST(FindRun, TakesResultsOfMessagesAmongThem) {
  const FoundRun run =
      Find({Event(1), Posted(7), Event(2), Posted(8), Event(3), Posted(7), Typing()});

  EXPECT_EQ(run.events, 3u);
  EXPECT_EQ(run.end, 6u);
  EXPECT_THAT(run.askers, ElementsAre(7u, 8u));
}

TEST(FindRun, EndsBeforeAnotherTopic) {
  const FoundRun run = Find({Event(1), Event(2), Event(1, "room:b"), Event(3)});

  EXPECT_EQ(run.events, 2u);
  EXPECT_EQ(run.end, 2u);
}

TEST(FindRun, EndsBeforeWhateverElseIsSaid) {
  v1::ControlItem refused = Posted(7);
  refused.mutable_result()->mutable_error();
  v1::ControlItem joined;
  joined.mutable_result()->mutable_join_room();
  v1::ControlItem unsubscribe;
  unsubscribe.mutable_unsubscribe()->set_topic("room:a");
  v1::ControlItem subscribe;
  subscribe.mutable_subscribe()->set_topic("room:b");
  v1::ControlItem close;
  close.mutable_close_connection();
  v1::ControlItem direct;
  direct.mutable_direct();
  v1::ControlItem spared = Event(2);
  spared.mutable_broadcast()->set_except_connection(7);
  for (const v1::ControlItem& item : {refused, joined, unsubscribe, subscribe, close, direct,
                                      spared, Typing(), v1::ControlItem(), Event(1)}) {
    const FoundRun run = Find({Event(1), item, Event(3)});
    EXPECT_EQ(run.events, 1u) << item.ShortDebugString();
    EXPECT_EQ(run.end, 1u) << item.ShortDebugString();
  }
}

TEST(FindRun, BeginsWithAnEventAlone) {
  EXPECT_EQ(Find({Posted(7), Event(1)}).events, 0u);
  EXPECT_EQ(Find({Typing(), Event(1)}).events, 0u);
  EXPECT_EQ(Find({v1::ControlItem()}).events, 0u);
}

TEST(FindRun, EndsWhereTooManyAsked) {
  std::vector<v1::ControlItem> items;
  for (std::uint64_t i = 0; i <= FoundRun::kAskersLimit; ++i) {
    items.push_back(Event(static_cast<std::int64_t>(i) + 1));
    items.push_back(Posted(i + 1));
  }

  const FoundRun run = Find(items);

  EXPECT_EQ(run.askers.size(), FoundRun::kAskersLimit);
  EXPECT_EQ(run.events, FoundRun::kAskersLimit + 1);
  EXPECT_EQ(run.end, items.size() - 1);
}

}  // namespace
}  // namespace confab::edge
