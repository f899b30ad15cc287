#include "control/edge_link/attached_edge.h"

#include <chrono>
#include <utility>

#include <absl/types/span.h>

#include "control/edge_link/stream_outbox.h"
#include "control/status_reason.h"
#include "process/failpoint.h"
#include "process/log.h"
#include "process/mutex.h"

namespace confab::control {
namespace {

constexpr std::string_view kPublishMethod = "/confab.v1.MessageService/PostMessage";
constexpr std::string_view kNotifyMethod = "/confab.v1.NotificationService/Notify";

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

// Leaves out what says that a command was not done.
void KeepDone(v1::AttachResponse& batch) {
  auto& items = *batch.mutable_items();
  int kept = 0;
  for (int i = 0; i < items.size(); ++i) {
    if (items[i].result().error().reason() == v1::REASON_UNAVAILABLE) continue;
    if (i != kept) items.SwapElements(i, kept);
    ++kept;
  }
  items.DeleteSubrange(kept, items.size() - kept);
}

}  // namespace

// Outlives the reactor: lanes may still hold it when the stream has ended.
class AttachedEdge::Sender final : public EdgeStream {
 public:
  Sender(AttachedEdge& reactor, grpc::CallbackServerContext& context)
      : reactor_(&reactor), context_(&context) {}

  using EdgeStream::Send;

  uint64_t Send(ItemBatch batch) override {
    process::MutexLock lock(mu_);
    const uint64_t before = subscribes_;
    for (const v1::ControlItem& item : batch->items()) {
      if (item.has_subscribe()) ++subscribes_;
    }
    if (is_ending_) return before;
    if (is_stopping_) KeepDone(*batch);
    if (!outbox_.Push(std::move(batch))) {
      End(absl::ResourceExhaustedError("the edge takes too slowly what control has for it"));
      // The write under way may never end by itself, and Finish waits for it.
      if (is_writing_ && context_ != nullptr) context_->TryCancel();
      return before;
    }
    AttachedEdge* writer = TakeBatch();
    lock.Unlock();
    if (writer != nullptr) Write(*writer);
    return before;
  }

  void BeginStop() override {
    process::MutexLock lock(mu_);
    is_stopping_ = true;
  }

  size_t queued_bytes() const override {
    process::MutexLock lock(mu_);
    return outbox_.bytes();
  }

  void Close(absl::Status why) override {
    process::MutexLock lock(mu_);
    if (!is_ending_) End(std::move(why));
  }

  // The peer has closed its side or is gone.
  void EndAfterWrites() { Close(absl::OkStatus()); }

  void OnWriteDone(bool ok) {
    write_.Clear();  // Without the lock, which lanes want.
    process::MutexLock lock(mu_);
    is_writing_ = false;
    // Not ok: the stream is broken, which the read side learns as well.
    AttachedEdge* writer = ok ? TakeBatch() : nullptr;
    if (is_ending_ && writer == nullptr) return Finish();
    lock.Unlock();
    if (writer != nullptr) Write(*writer);
  }

  // Nothing touches the reactor afterwards.
  void OnDone() {
    process::MutexLock lock(mu_);
    reactor_ = nullptr;
    context_ = nullptr;
    is_ending_ = true;
    outbox_.Clear();
  }

 private:
  // Not null: write_ is to be written by it, without the lock: gRPC serialises and sends within
  // the call, and meanwhile lanes queue and reactions end. The reactor lives until that write ends,
  // because Finish waits for it.
  AttachedEdge* TakeBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (is_writing_ || !outbox_.Take(write_)) return nullptr;
    is_writing_ = true;
    return reactor_;
  }

  // REQUIRES: TakeBatch gave it; without the lock.
  void Write(AttachedEdge& writer) {
    CONFAB_FAILPOINT(kLinkWrite);
    writer.StartWrite(&write_.response());
  }

  // A write under way goes first; a peer that is gone is noticed by keepalive.
  void End(absl::Status why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    is_ending_ = true;
    why_ = std::move(why);
    if (!is_stopping_) outbox_.Clear();
    if (!is_writing_) Finish();
  }

  void Finish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (reactor_ == nullptr || is_finished_) return;
    is_finished_ = true;
    reactor_->Finish(ToGrpc(why_));
  }

  mutable process::Mutex mu_;
  AttachedEdge* reactor_ ABSL_GUARDED_BY(mu_);
  grpc::CallbackServerContext* context_ ABSL_GUARDED_BY(mu_);
  StreamOutbox outbox_ ABSL_GUARDED_BY(mu_);
  StreamWrite write_;  // The one under way: gRPC's while is_writing_.
  uint64_t subscribes_ ABSL_GUARDED_BY(mu_) = 0;
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;  // Control does.
  bool is_ending_ ABSL_GUARDED_BY(mu_) = false;
  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status why_ ABSL_GUARDED_BY(mu_);
};

AttachedEdge::AttachedEdge(Dispatcher& dispatcher, const std::string& control_id,
                           const AdmitService& admit_service, grpc::CallbackServerContext& context)
    : dispatcher_(dispatcher),
      control_id_(control_id),
      admit_service_(admit_service),
      sender_(std::make_shared<Sender>(*this, context)) {
  StartRead(&request_);
}

void AttachedEdge::OnReadDone(bool ok) {
  if (!ok) return sender_->EndAfterWrites();
  if (absl::Status status = Receive(request_); !status.ok()) {
    process::LogWarn("an edge's stream ends", {{"edge", attachment_ ? attachment_->edge_id() : ""},
                                               {"status", status.ToString()}});
    return sender_->Close(std::move(status));
  }
  StartRead(&request_);
}

void AttachedEdge::OnWriteDone(bool ok) { sender_->OnWriteDone(ok); }

void AttachedEdge::OnCancel() { sender_->Close(absl::CancelledError("the edge has gone")); }

void AttachedEdge::OnDone() {
  sender_->OnDone();
  if (attachment_ != nullptr) {
    process::LogInfo("edge detached",
                     {{"edge", attachment_->edge_id()}, {"epoch", attachment_->epoch()}});
    dispatcher_.Detach(attachment_);
  }
  delete this;
}

absl::Status AttachedEdge::Receive(v1::AttachRequest& request) {
  absl::Status status;
  // Each may hold a whole command: moved to a larger place again and again they would cost more.
  gathered_.reserve(static_cast<size_t>(request.items_size()));
  for (v1::EdgeItem& item : *request.mutable_items()) {
    switch (item.item_case()) {
      case v1::EdgeItem::kHello:
        status = ReceiveHello(*item.mutable_hello());
        break;
      case v1::EdgeItem::kConnectionOpened:
        status = Open(*item.mutable_connection_opened());
        break;
      case v1::EdgeItem::kConnectionClosed:
        Close(item.connection_closed().connection());
        break;
      case v1::EdgeItem::kCommand:
        status = ReceiveCommand(*item.mutable_command());
        break;
      case v1::EdgeItem::kTopicReleased:
        gathered_.emplace_back(std::move(*item.mutable_topic_released()));
        break;
      case v1::EdgeItem::kLeaseRefreshed:
        if (attachment_ == nullptr) break;
        attachment_->Hear();
        dispatcher_.recoveries().Tidy(std::chrono::steady_clock::now());
        break;
      case v1::EdgeItem::kNotificationReport:
        gathered_.emplace_back(item.notification_report());
        break;
      case v1::EdgeItem::kDraining:
        if (attachment_ != nullptr) OnDraining(item.draining());
        break;
      case v1::EdgeItem::kRecoveryQuestion:
      case v1::EdgeItem::kRecoveryAnswer:
      case v1::EdgeItem::kSessionHandedOver:
        if (attachment_ != nullptr) OnRecovery(item);
        break;
      case v1::EdgeItem::ITEM_NOT_SET:
        break;  // Of a later version; its edge does not count on an answer.
    }
    if (!status.ok()) break;
  }
  DispatchGathered();
  return status;
}

void AttachedEdge::DispatchGathered() {
  if (gathered_.empty()) return;
  if (attachment_ != nullptr) dispatcher_.Dispatch(attachment_, std::move(gathered_));
  gathered_.clear();
}

absl::Status AttachedEdge::ReceiveHello(v1::Hello& chunk) {
  if (attachment_ != nullptr) return absl::InvalidArgumentError("Hello comes first, and once");
  if (auto status = hello_.Add(chunk); !status.ok()) return status;
  for (v1::AnnouncedConnection& connection : *chunk.mutable_connections()) {
    if (auto status = Open(*connection.mutable_opened()); !status.ok()) return status;
  }
  if (!hello_.is_complete()) return absl::OkStatus();
  v1::ControlItem welcome;
  welcome.mutable_welcome()->set_control_id(control_id_);
  welcome.mutable_welcome()->set_version(CONFAB_VERSION);
  welcome.mutable_welcome()->set_lease_ms(
      static_cast<uint32_t>(absl::ToInt64Milliseconds(dispatcher_.lease())));
  sender_->Send(absl::MakeSpan(&welcome, 1));
  for (const HelloReader::Orphan& orphan : hello_.orphans()) {
    v1::ControlItem item;
    item.mutable_unsubscribe()->set_topic("room:" + orphan.room);
    item.mutable_unsubscribe()->set_connection(orphan.connection);
    sender_->Send(absl::MakeSpan(&item, 1));
  }
  EdgeAnnouncement hello = hello_.Take();
  const auto sockets = static_cast<int64_t>(announced_.size());
  hello.connections = std::move(announced_);
  process::LogInfo("edge attached", {{"edge", hello.edge_id},
                                     {"epoch", hello.epoch},
                                     {"version", hello.version},
                                     {"connections", connections_.size()},
                                     {"rooms", hello.rooms.size()}});
  auto attachment = dispatcher_.Attach(std::move(hello), sender_);
  if (!attachment.ok()) return attachment.status();
  attachment_ = *std::move(attachment);
  attachment_->AddSockets(sockets);
  return absl::OkStatus();
}

void AttachedEdge::OnDraining(const v1::EdgeDraining& draining) {
  if (attachment_->is_draining()) return;
  attachment_->MarkDraining();
  process::LogInfo("an edge drains", {{"edge", attachment_->edge_id()},
                                      {"connections", attachment_->sockets()},
                                      {"remaining_ms", draining.remaining_ms()}});
}

void AttachedEdge::OnRecovery(v1::EdgeItem& item) {
  const auto now = std::chrono::steady_clock::now();
  Recoveries& recoveries = dispatcher_.recoveries();
  if (item.has_recovery_question()) {
    recoveries.Ask(attachment_, std::move(*item.mutable_recovery_question()), now);
  }
  if (item.has_recovery_answer()) {
    recoveries.OnAnswer(*attachment_, std::move(*item.mutable_recovery_answer()), now);
  }
  if (item.has_session_handed_over()) {
    recoveries.HandOver(*attachment_, item.session_handed_over(), now);
  }
}

absl::Status AttachedEdge::Open(v1::ConnectionOpened& opened) {
  if (connections_.size() >= kConnectionsLimit) {
    return absl::ResourceExhaustedError("the edge has too many connections");
  }
  auto actor = std::make_shared<storage::Actor>();
  actor->id = storage::UserId(std::move(*opened.mutable_user()->mutable_id()));
  actor->name = std::move(*opened.mutable_user()->mutable_name());
  actor->email = std::move(*opened.mutable_email());
  const bool is_socket = !opened.is_http_request() && !actor->id.empty();
  if (is_socket) {
    OpenedConnection socket;
    socket.connection = opened.connection();
    socket.user = actor->id;
    socket.role_context = opened.role_context();
    socket.device_id = std::move(*opened.mutable_device_id());
    socket.awaits_heartbeat = opened.awaits_heartbeat();
    if (attachment_ == nullptr) {
      announced_.push_back(std::move(socket));
    } else {
      attachment_->AddSockets(1);
      gathered_.emplace_back(std::move(socket));
    }
  }
  connections_[opened.connection()] = {std::move(actor), std::move(*opened.mutable_role_context()),
                                       is_socket};
  return absl::OkStatus();
}

void AttachedEdge::Close(uint64_t connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  Peer& peer = found->second;
  if (peer.is_socket) {
    if (attachment_ != nullptr) attachment_->AddSockets(-1);
    gathered_.emplace_back(
        ClosedConnection{connection, peer.actor->id, std::move(peer.role_context)});
  }
  connections_.erase(found);
}

absl::Status AttachedEdge::ReceiveCommand(v1::Command& command) {
  if (attachment_ == nullptr) return absl::InvalidArgumentError("Hello comes before commands");
  const auto connection = connections_.find(command.connection());
  if (connection == connections_.end()) {
    Refuse(command,
           RefusalStatus(v1::REASON_INTERNAL, "the edge has not announced this connection"));
    return absl::OkStatus();
  }
  EdgeCommand asked{connection->second.actor, std::move(command)};
  if (asked.command.has_publish() || asked.command.has_notify()) {
    const bool is_notify = asked.command.has_notify();
    absl::StatusOr<std::string> service =
        admit_service_(is_notify ? asked.command.notify().service_token()
                                 : asked.command.publish().service_token(),
                       is_notify ? kNotifyMethod : kPublishMethod);
    if (!service.ok()) {
      Refuse(asked.command, service.status());
      return absl::OkStatus();
    }
    asked.service = *std::move(service);
  }
  gathered_.emplace_back(std::move(asked));
  return absl::OkStatus();
}

void AttachedEdge::Refuse(const v1::Command& command, const absl::Status& why) {
  v1::ControlItem item;
  item.mutable_result()->set_connection(command.connection());
  item.mutable_result()->set_request(command.request());
  *item.mutable_result()->mutable_error() = ErrorOf(why);
  sender_->Send(absl::MakeSpan(&item, 1));
}

}  // namespace confab::control
