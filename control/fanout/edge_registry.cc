#include "control/fanout/edge_registry.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace confab::control {

Attachment::Attachment(std::string edge_id, uint64_t epoch, std::shared_ptr<EdgeStream> stream,
                       size_t commands_limit, std::string version)
    : edge_id_(std::move(edge_id)),
      epoch_(epoch),
      key_prefix_(fmt::format("{}/{}/", edge_id_, epoch)),
      stream_(std::move(stream)),
      commands_limit_(commands_limit),
      version_(std::move(version)) {}

bool Attachment::Admit() {
  if (commands_.fetch_add(1, std::memory_order_relaxed) < commands_limit_) return true;
  Release();
  return false;
}

absl::StatusOr<std::shared_ptr<Attachment>> EdgeRegistry::Attach(std::string edge_id,
                                                                 uint64_t epoch,
                                                                 std::shared_ptr<EdgeStream> stream,
                                                                 std::string version) {
  auto edge = std::make_shared<Attachment>(edge_id, epoch, std::move(stream),
                                           Attachment::kCommandsLimit, std::move(version));
  std::shared_ptr<Attachment> before;
  {
    const process::MutexLock lock(mu_);
    std::shared_ptr<Attachment>& entry = edges_[std::move(edge_id)];
    if (entry != nullptr && entry->epoch() > epoch) {
      return absl::FailedPreconditionError("a later start of this edge is attached");
    }
    before = std::exchange(entry, edge);
  }
  if (before != nullptr) {
    before->stream().Close(absl::AbortedError("the edge has attached again"));
  }
  return edge;
}

void EdgeRegistry::Detach(const Attachment& edge) {
  const process::MutexLock lock(mu_);
  const auto it = edges_.find(edge.edge_id());
  if (it != edges_.end() && it->second.get() == &edge) edges_.erase(it);
}

std::shared_ptr<Attachment> EdgeRegistry::Find(const std::string& edge_id) const {
  const process::MutexLock lock(mu_);
  const auto found = edges_.find(edge_id);
  return found == edges_.end() ? nullptr : found->second;
}

void EdgeRegistry::BeginStop() {
  for (const auto& edge : All()) edge->stream().BeginStop();
}

void EdgeRegistry::CloseAll(const absl::Status& why) {
  for (const auto& edge : All()) edge->stream().Close(why);
}

std::vector<std::shared_ptr<Attachment>> EdgeRegistry::All() const {
  std::vector<std::shared_ptr<Attachment>> edges;
  const process::MutexLock lock(mu_);
  for (const auto& [id, edge] : edges_) edges.push_back(edge);
  return edges;
}

size_t EdgeRegistry::size() const {
  const process::MutexLock lock(mu_);
  return edges_.size();
}

}  // namespace confab::control
