#include "edge/connection/socketio_talk.h"

#include <algorithm>
#include <utility>

#include "edge/connection/socketio_connection.h"

namespace confab::edge {

namespace {

// auth.token of the CONNECT payload.
std::string_view TokenOf(const boost::json::value* auth) {
  if (auth == nullptr || !auth->is_object()) return {};
  const boost::json::value* token = auth->get_object().if_contains("token");
  if (token == nullptr || !token->is_string()) return {};
  return {token->get_string().data(), token->get_string().size()};
}

}  // namespace

SocketIoTalk::SocketIoTalk(EngineIoSession& engine, OpenRequest request)
    : engine_(engine), request_(std::move(request)) {}

SocketIoTalk::~SocketIoTalk() = default;

SocketIoConnection* SocketIoTalk::Find(std::string_view nsp) const {
  for (const auto& one : namespaces_) {
    if (one->nsp() == nsp) return one.get();
  }
  return nullptr;
}

void SocketIoTalk::OnMessage(bool is_binary, std::string_view body) {
  // Binary belongs to events with attachments, which are not built yet.
  if (is_binary) return engine_.Close(CloseReason::kBadPacket);
  SocketIoPacket packet;
  if (!DecodeSocketIo(body, engine_.home().json, packet).ok()) {
    return engine_.Close(CloseReason::kBadPacket);
  }
  OnPacket(packet);
}

void SocketIoTalk::OnPacket(const SocketIoPacket& packet) {
  if (packet.type == SocketIoType::kConnect) return OnConnect(packet);
  SocketIoConnection* connection = Find(packet.nsp);
  // Anything else of a namespace that was not joined.
  if (connection == nullptr || !connection->connection().is_admitted()) {
    return engine_.Close(CloseReason::kBadPacket);
  }
  switch (packet.type) {
    case SocketIoType::kEvent:
      return connection->OnEvent(packet);
    case SocketIoType::kDisconnect:
      return engine_.Close(CloseReason::kNormal);
    case SocketIoType::kAck:  // We ask for none.
      return;
    case SocketIoType::kConnect:
    case SocketIoType::kConnectError:
    case SocketIoType::kBinaryEvent:
    case SocketIoType::kBinaryAck:
      return engine_.Close(CloseReason::kBadPacket);
  }
}

void SocketIoTalk::OnConnect(const SocketIoPacket& packet) {
  if (packet.nsp != "/") {
    return engine_.SendText(
        [&](std::string& out) { AppendSocketIoInvalidNamespace(packet.nsp, out); });
  }
  if (Find(packet.nsp) != nullptr) return engine_.Close(CloseReason::kBadPacket);
  std::string_view token = TokenOf(packet.json);
  if (token.empty()) token = request_.token;
  auto& added = namespaces_.emplace_back(
      std::make_unique<SocketIoConnection>(engine_, std::string(packet.nsp)));
  added->Connect(token);
}

void SocketIoTalk::OnDrained() {
  for (const auto& one : namespaces_) one->connection().Replay();
}

void SocketIoTalk::OnMoved(Transport& transport) {
  for (const auto& one : namespaces_) one->connection().MoveTo(transport);
}

void SocketIoTalk::SayClosing(CloseReason reason) {
  for (const auto& one : namespaces_) one->SayClosing(reason);
}

bool SocketIoTalk::IsTokenOver(Heartbeat::SteadyTime now) const {
  return std::any_of(namespaces_.begin(), namespaces_.end(),
                     [&](const auto& one) { return one->connection().IsTokenOver(now); });
}

}  // namespace confab::edge
