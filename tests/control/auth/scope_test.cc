#include "control/auth/scope.h"

#include <filesystem>
#include <set>
#include <string>

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "confab/v1/admin_service.pb.h"
#include "confab/v1/connection_service.pb.h"
#include "confab/v1/edge_link.pb.h"
#include "confab/v1/edge_service.pb.h"
#include "confab/v1/event_feed_service.pb.h"
#include "confab/v1/message_service.pb.h"
#include "confab/v1/notification_service.pb.h"
#include "confab/v1/presence_service.pb.h"
#include "confab/v1/room_service.pb.h"

namespace confab::control {
namespace {

// Every method of every service of the package, found through its .proto files: a new file that
// this test does not link fails here instead of being passed over.
std::set<std::string> MethodsOfThePackage() {
  v1::AttachRequest::descriptor();
  v1::OnlineDevice::descriptor();
  v1::ClientConnection::descriptor();
  v1::EdgeState::descriptor();
  v1::ListAuditRequest::descriptor();
  v1::CreateRoomRequest::descriptor();
  v1::PostMessageRequest::descriptor();
  v1::NotifyRequest::descriptor();
  v1::ReadFeedRequest::descriptor();
  std::set<std::string> methods;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(CONFAB_PROTO_DIR) + "/confab/v1")) {
    if (entry.path().extension() != ".proto") continue;
    const std::string name = "confab/v1/" + entry.path().filename().string();
    const auto* file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    EXPECT_NE(file, nullptr) << name << " is not linked into this test";
    for (int s = 0; file != nullptr && s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        methods.insert("/" + file->service(s)->full_name() + "/" +
                       file->service(s)->method(m)->name());
      }
    }
  }
  return methods;
}

TEST(Scope, EveryMethodOfThePackageNeedsOne) {
  const std::set<std::string> methods = MethodsOfThePackage();

  EXPECT_GE(methods.size(), 12U);
  for (const std::string& method : methods) {
    EXPECT_TRUE(ScopeOfMethod(method).has_value())
        << method << " has no row in control/auth/scope.cc and is served to nobody";
  }
}

TEST(Scope, WhatIsInNoTableIsDenied) {
  EXPECT_FALSE(ScopeOfMethod("/confab.v1.RoomService/Drop").has_value());
  EXPECT_FALSE(ScopeOfMethod("").has_value());
}

TEST(Scope, WordsGoBothWays) {
  for (size_t i = 0; i < kScopeCount; ++i) {
    const auto scope = static_cast<Scope>(i);
    EXPECT_EQ(ScopeOfWord(WordOf(scope)), scope);
  }
  EXPECT_EQ(WordOf(Scope::kAdmin), "admin");
  EXPECT_FALSE(ScopeOfWord("rooms").has_value());
}

}  // namespace
}  // namespace confab::control
