#include "storage/append_batch.h"

#include <string>

#include <gmock/gmock.h>

namespace confab::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

AppendRequest In(const std::string& room) {
  AppendRequest request;
  request.room = RoomId(room);
  return request;
}

std::vector<std::string> RoomsOf(AppendBatch batch) {
  std::vector<std::string> rooms;
  for (const AppendRequest& request : batch) rooms.push_back(request.room.value);
  for (size_t i = 0; i < batch.size(); ++i) EXPECT_EQ(batch[i].room.value, rooms.at(i));
  return rooms;
}

TEST(AppendBatch, ShowsRequestsThatLieSideBySide) {
  const std::vector<AppendRequest> requests = {In("a"), In("b"), In("c")};

  EXPECT_THAT(RoomsOf(requests), ElementsAre("a", "b", "c"));
  EXPECT_THAT(RoomsOf(absl::MakeConstSpan(requests).subspan(1)), ElementsAre("b", "c"));
  EXPECT_THAT(RoomsOf({In("a"), In("b")}), ElementsAre("a", "b"));
  EXPECT_EQ(&AppendBatch(requests)[1], &requests[1]);
}

TEST(AppendBatch, ShowsRequestsThatLieAnywhere) {
  const AppendRequest a = In("a");
  const AppendRequest b = In("b");
  const std::vector<const AppendRequest*> pointers = {&b, &a, &b};

  EXPECT_THAT(RoomsOf(absl::MakeConstSpan(pointers)), ElementsAre("b", "a", "b"));
  EXPECT_EQ(&AppendBatch(absl::MakeConstSpan(pointers))[2], &b);
}

TEST(AppendBatch, MayBeEmpty) {
  EXPECT_THAT(RoomsOf(std::vector<AppendRequest>()), IsEmpty());
  EXPECT_THAT(RoomsOf(absl::Span<const AppendRequest* const>()), IsEmpty());
}

}  // namespace
}  // namespace confab::storage
