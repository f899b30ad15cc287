#include "edge/connection/socketio_connection.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "edge/dialect/event_arguments.h"
#include "edge/protocol/utf8.h"
#include "proto/reason.h"

namespace confab::edge {

namespace {

// DESIGN.md section 7.
constexpr std::size_t kEventNameBytesLimit = 64;
constexpr std::size_t kDeviceIdBytesLimit = 128;

// A member of the CONNECT payload; nullptr if there is none, or null.
const boost::json::value* FieldOf(const boost::json::value* auth, std::string_view name) {
  if (auth == nullptr || !auth->is_object()) return nullptr;
  const boost::json::value* field = auth->get_object().if_contains({name.data(), name.size()});
  return field == nullptr || field->is_null() ? nullptr : field;
}

std::string_view TextOf(const boost::json::value* field) {
  if (field == nullptr || !field->is_string()) return {};
  return {field->get_string().data(), field->get_string().size()};
}

// It stands in the query, where any bytes can be written.
std::optional<v1::Error> CheckDeviceId(std::string_view device_id) {
  const bool has_controls = std::any_of(device_id.begin(), device_id.end(),
                                        [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (!has_controls && device_id.size() <= kDeviceIdBytesLimit && IsUtf8(device_id)) {
    return std::nullopt;
  }
  return MakeError(v1::REASON_BAD_REQUEST,
                   fmt::format("deviceId must be at most {} bytes of UTF-8 without control "
                               "characters",
                               kDeviceIdBytesLimit));
}

// Nothing where there is none.
std::optional<v1::Error> ReadResume(const boost::json::value* field, v1::Resume& resume) {
  if (field == nullptr) return std::nullopt;
  EventArguments in("auth.resume", {field, 1}, {}, true);
  const boost::json::value* rooms = in.Find("rooms");
  if (rooms == nullptr) {
    in.RefuseMissing("rooms");
    return in.TakeRefusal();
  }
  for (auto& [room, seq] : in.Seqs("rooms", *rooms)) {
    (*resume.mutable_rooms())[std::move(room)] = seq;
  }
  return in.TakeRefusal();
}

// As the stock client writes it. Longer ones are none of ours.
Recoverable::Wish ReadWish(const boost::json::value* auth) {
  const std::string_view pid = TextOf(FieldOf(auth, "pid"));
  const std::string_view offset = TextOf(FieldOf(auth, "offset"));
  return {.pid = std::string(pid.substr(0, kOffsetBytesLimit)),
          .offset = std::string(offset.substr(0, kOffsetBytesLimit + 1))};
}

}  // namespace

SocketIoConnection::SocketIoConnection(SocketIoTalk& talk, std::size_t nsp)
    : talk_(talk), nsp_(nsp) {}

std::optional<v1::Error> SocketIoConnection::ChooseDialect(const SocketIoPacket& packet,
                                                           std::size_t& chosen) const {
  const SessionHome& home = talk_.engine().home();
  const boost::json::value* field = FieldOf(packet.json, "dialect");
  const std::string_view name = field != nullptr ? TextOf(field) : talk_.request().dialect;
  chosen = home.default_dialect;
  if (field == nullptr && name.empty()) return std::nullopt;
  const std::optional<std::size_t> found = home.dialects.IndexOf(name);
  if (!found) {
    return MakeError(v1::REASON_BAD_REQUEST,
                     fmt::format("no such dialect; there is: {}", home.dialects.Names()));
  }
  chosen = *found;
  return std::nullopt;
}

std::optional<v1::Error> SocketIoConnection::Connect(const SocketIoPacket& packet) {
  SessionHome& home = talk_.engine().home();
  std::size_t dialect = 0;
  std::optional<v1::Error> refusal = ChooseDialect(packet, dialect);
  if (!refusal) refusal = CheckDeviceId(talk_.request().device_id);
  v1::Resume resume;
  if (!refusal) refusal = ReadResume(FieldOf(packet.json, "resume"), resume);
  if (refusal) {
    home.host.CountRefusal(refusal->reason());
    return refusal;
  }
  dialect_ = &home.dialects.at(dialect);
  connection_.emplace(home.host, static_cast<ClientWire&>(*this), talk_.engine().transport(),
                      home.encoders.SocketIo(dialect, nsp_));
  connection_->SetDevice(talk_.request().device_id);
  connection_->SetConnect(dialect_->connect());
  if (OffsetStamp* stamp = home.recovery.StampOf(dialect)) {
    connection_->MakeRecoverable(*stamp, dialect_->name(), nsp(), ReadWish(packet.json));
  }
  if (resume.rooms_size() > 0) connection_->ResumeOnConnect(std::move(resume), std::nullopt);
  std::string_view token = TextOf(FieldOf(packet.json, "token"));
  if (token.empty()) token = talk_.request().token;
  return connection_->Authenticate(token);
}

void SocketIoConnection::OnEvent(const SocketIoPacket& packet,
                                 std::span<const std::string> attachments) {
  v1::Command command;
  const auto refuse = [&](std::string text) {
    connection_->RefuseFrame(command, packet.ack_id,
                             MakeError(v1::REASON_BAD_REQUEST, std::move(text)));
  };
  if (!packet.unreadable.empty()) return refuse(packet.unreadable);
  if (packet.json == nullptr) return;
  if (packet.event.size() > kEventNameBytesLimit) {
    return refuse(fmt::format("the event's name exceeds {} bytes", kEventNameBytesLimit));
  }
  const boost::json::array& array = packet.json->get_array();
  const std::span<const boost::json::value> args(array.data() + 1, array.size() - 1);
  const std::optional<v1::Error> refusal =
      dialect_->Translate(packet.event, args, packet.payload, command);
  // What stands in place of an attachment looks like an object of the wrong form.
  if (!attachments.empty() && (!refusal || refusal->reason() == v1::REASON_BAD_REQUEST)) {
    return refuse(fmt::format("{} takes no binary", packet.event));
  }
  if (refusal) return connection_->RefuseFrame(command, packet.ack_id, *refusal);
  connection_->Ask(std::move(command), packet.ack_id);
}

template <typename Encode>
bool SocketIoConnection::SayEvent(Encode&& encode) {
  Recoverable::Alone alone(connection_->recovery());
  const bool is_said = talk_.engine().SendTextIf([&](std::string& out) {
    AppendSocketIoEventPrefix(nsp(), out);
    if (!encode(*dialect_, out)) return false;
    if (connection_->recovery() != nullptr) connection_->recovery()->AppendOffset(out);
    return true;
  });
  if (is_said) said_number_ = alone.OnSent();
  return is_said;
}

void SocketIoConnection::SayConnected(std::string_view connection_id, const v1::User& user) {
  talk_.OnJoined();
  Recoverable* own = connection_->recovery();
  std::string_view sid = connection_id;
  std::string pid;
  if (own != nullptr) {
    if (!own->is_recovered()) own->SetSid(connection_id);
    sid = own->sid();
    pid = own->PidText();
  }
  talk_.engine().SendText([&](std::string& out) { AppendSocketIoConnect(nsp(), sid, pid, out); });
  // What it was told then goes on; and an offset of now would say that it lacks nothing.
  if (own != nullptr && own->is_recovered()) return;
  SayEvent([&](const Dialect& dialect, std::string& out) {
    return dialect.EncodeConnected(connection_id, user, out);
  });
}

void SocketIoConnection::SayResult(const v1::Command& command,
                                   std::optional<std::uint64_t> reply_id,
                                   const v1::Result& result) {
  if (result.has_error()) return SayRefusal(command, reply_id, result.error());
  if (reply_id) {
    talk_.engine().SendTextIf([&](std::string& out) {
      AppendSocketIoAckPrefix(nsp(), *reply_id, out);
      return dialect_->EncodeAck(command, result, out);
    });
  }
  SayEvent([&](const Dialect& dialect, std::string& out) {
    return dialect.EncodeConfirmation(command, result, out);
  });
}

void SocketIoConnection::SayRefusal(const v1::Command& command,
                                    std::optional<std::uint64_t> reply_id, const v1::Error& error) {
  if (reply_id) {
    talk_.engine().SendTextIf([&](std::string& out) {
      AppendSocketIoAckPrefix(nsp(), *reply_id, out);
      return dialect_->EncodeRefusal(command, error, out);
    });
    if (!dialect_->tells_every_refusal()) return;
  }
  SayEvent(
      [&](const Dialect& dialect, std::string& out) { return dialect.EncodeError(error, out); });
}

void SocketIoConnection::SayTokenExpiring(const v1::TokenExpiring& expiring) {
  SayEvent([&](const Dialect& dialect, std::string& out) {
    return dialect.EncodeExpiring(expiring, out);
  });
}

bool SocketIoConnection::SayResync(std::string_view room) {
  return SayEvent(
      [&](const Dialect& dialect, std::string& out) { return dialect.EncodeResync(room, out); });
}

void SocketIoConnection::SayClosing(CloseReason reason, std::uint32_t retry_after_ms) {
  if (!is_joined()) return;
  const CloseTraits& traits = TraitsOf(reason);
  const bool is_said = SayEvent([&](const Dialect& dialect, std::string& out) {
    return dialect.EncodeClosing(traits.code, traits.word, retry_after_ms, out);
  });
  closing_number_ = is_said ? said_number_ : 0;
}

// To who comes back with the offset of the last words, and has everything then. Where control is away
// this edge keeps it, as one that was lost, for as long as it lives.
void SocketIoConnection::HandOver() {
  Recoverable* own = connection_->recovery();
  v1::SessionHandedOver handed;
  v1::LostSession& session = *handed.mutable_session();
  if (own == nullptr || closing_number_ == 0 || !connection_->DescribeLost(session)) return;
  session.set_pid(own->PidText());
  session.set_sid(own->sid());
  session.set_dialect(std::string(own->dialect()));
  session.set_namespace_(std::string(own->nsp()));
  handed.set_n(closing_number_);
  if (talk_.engine().home().host.HandOverSession(std::move(handed))) own->Forget();
}

}  // namespace confab::edge
