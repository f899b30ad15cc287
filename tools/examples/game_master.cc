// game_master.cc: a worked example of an internal service: it makes a game's room, posts as the
// system, and pushes game events to the players over gRPC.
//
//   CONFAB_TOKEN=$(confabctl token mint --service game --scopes rooms:write,messages:write,notify)
//   confab-example-game 127.0.0.1:8081 42 ann ben
//
// What it shows: a key for everything that may be repeated, a deadline for every call, one stream
// where there is much to push, and that a push which fails never stops the game.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "confab/v1/message_service.grpc.pb.h"
#include "confab/v1/notification_service.grpc.pb.h"
#include "confab/v1/room_service.grpc.pb.h"

namespace {

namespace v1 = confab::v1;

class GameMaster {
 public:
  GameMaster(const std::shared_ptr<grpc::Channel>& channel, std::string token, std::string game)
      : rooms_(v1::RoomService::NewStub(channel)),
        messages_(v1::MessageService::NewStub(channel)),
        notifications_(v1::NotificationService::NewStub(channel)),
        token_(std::move(token)),
        room_("game_" + game) {}

  // A room that is there already is ours from an earlier run.
  bool OpenRoom(const std::vector<std::string>& players) {
    v1::CreateRoomRequest request;
    request.set_room_id(room_);
    request.set_topic("A game");
    for (const std::string& player : players) request.add_members()->set_user_id(player);
    v1::CreateRoomResponse response;
    grpc::ClientContext context;
    Prepare(context);
    const grpc::Status status = rooms_->CreateRoom(&context, request, &response);
    return status.error_code() == grpc::StatusCode::ALREADY_EXISTS || IsOk("opening", status);
  }

  // Stands in the log: who joins later reads it too.
  bool Announce(const std::string& text) {
    v1::PostMessageRequest request;
    request.set_room_id(room_);
    request.set_content(text);
    request.set_idempotency_key("announce/" + text);
    v1::PostMessageResponse response;
    grpc::ClientContext context;
    Prepare(context);
    return IsOk("announcing", messages_->PostMessage(&context, request, &response));
  }

  // The start is logged in the room, what only matters now is droppable.
  bool TellRoom(const std::string& event, const std::string& json, v1::DeliveryClass delivery) {
    v1::NotifyRequest request;
    v1::OutgoingNotification& what = *request.mutable_notification();
    what.set_room_id(room_);
    what.set_event(event);
    what.set_json(json);
    what.set_delivery_class(delivery);
    what.set_idempotency_key(room_ + "/" + event);
    v1::NotifyResponse response;
    grpc::ClientContext context;
    Prepare(context);
    if (!IsOk(event, notifications_->Notify(&context, request, &response))) return false;
    std::cout << event << ": " << response.outcome().connections() << " connections" << std::endl;
    return true;
  }

  // Spell points change all the time: of each player only the newest have to arrive.
  bool TellSpellPoints(const std::vector<std::string>& players, int updates) {
    grpc::ClientContext context;
    Prepare(context);
    v1::NotifyStreamResponse response;
    const auto stream = notifications_->NotifyStream(&context, &response);
    for (int sp = 1; sp <= updates; ++sp) {
      for (const std::string& player : players) {
        v1::NotifyStreamRequest request;
        v1::OutgoingNotification& what = *request.mutable_notification();
        what.set_user_id(player);
        what.set_event("sp_update");
        what.set_json("{\"sp\":" + std::to_string(sp) + "}");
        what.set_delivery_class(v1::DELIVERY_CLASS_LATEST);
        what.set_key("sp");
        if (!stream->Write(request)) break;
      }
    }
    stream->WritesDone();
    if (!IsOk("sp_update", stream->Finish())) return false;
    std::cout << "sp_update: " << response.accepted() << " taken" << std::endl;
    return response.refused() == 0;
  }

  // Waits in the inbox of who is not there.
  bool TellReward(const std::string& player) {
    v1::NotifyRequest request;
    v1::OutgoingNotification& what = *request.mutable_notification();
    what.set_user_id(player);
    what.set_event("reward");
    what.set_json("{\"gold\":10}");
    what.set_store_if_absent(true);
    what.set_idempotency_key(room_ + "/reward");
    v1::NotifyResponse response;
    grpc::ClientContext context;
    Prepare(context);
    return IsOk("reward", notifications_->Notify(&context, request, &response));
  }

 private:
  void Prepare(grpc::ClientContext& context) const {
    context.AddMetadata("authorization", "Bearer " + token_);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  }

  static bool IsOk(const std::string& what, const grpc::Status& status) {
    if (!status.ok()) std::cerr << what << ": " << status.error_message() << std::endl;
    return status.ok();
  }

  const std::unique_ptr<v1::RoomService::Stub> rooms_;
  const std::unique_ptr<v1::MessageService::Stub> messages_;
  const std::unique_ptr<v1::NotificationService::Stub> notifications_;
  const std::string token_;
  const std::string room_;
};

}  // namespace

int main(int argc, char** argv) {
  const char* token = std::getenv("CONFAB_TOKEN");
  if (argc < 4 || token == nullptr) {
    std::cerr << "usage: CONFAB_TOKEN=... confab-example-game CONTROL GAME PLAYER...\n";
    return 2;
  }
  // Plaintext, for a private socket or loopback; elsewhere TLS credentials stand here.
  const auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  GameMaster master(channel, token, argv[2]);
  const std::vector<std::string> players(argv + 3, argv + argc);
  if (!master.OpenRoom(players)) return 1;
  bool is_all_told = master.Announce("The game begins.");
  is_all_told &= master.TellRoom("game_started", "{\"round\":1}", v1::DELIVERY_CLASS_LOGGED);
  is_all_told &=
      master.TellRoom("narrative_update", "{\"text\":\"It rains.\"}", v1::DELIVERY_CLASS_DROPPABLE);
  is_all_told &= master.TellSpellPoints(players, 100);
  for (const std::string& player : players) is_all_told &= master.TellReward(player);
  std::cout << (is_all_told ? "all told" : "something was not told; the game goes on") << std::endl;
  return 0;
}
