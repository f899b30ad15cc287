#include "storage/postgres/pq_transaction.h"

#include <charconv>
#include <utility>

#include <absl/container/inlined_vector.h>

namespace confab::storage {
namespace {

constexpr PreparedStatement kStatements[] = {
    {"begin", "BEGIN"},
    {"commit", "COMMIT"},
    {"rollback", "ROLLBACK"},
};

// The most that a statement here has, so that none allocates for its lists.
constexpr size_t kUsualValues = 12;

}  // namespace

absl::Span<const PreparedStatement> PqTransactionStatements() { return kStatements; }

std::string_view PqRows::Text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}

int64_t PqRows::Int(int row, int column) const {
  const std::string_view text = Text(row, column);
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

PqTransaction::PqTransaction(PostgresConnection& connection)
    : connection_(connection), handle_(connection.connection_->handle()) {
  is_unsendable_ = PQenterPipelineMode(&handle_) != 1;
}

PqTransaction::~PqTransaction() {
  if (connection_.is_broken_) return;
  // Statements that were queued for no trip would be read as another's.
  if (queued_ > 0 || is_unsendable_) connection_.is_broken_ = true;
  if (!connection_.is_broken_ && PQtransactionStatus(&handle_) != PQTRANS_IDLE) RollBack();
  if (PQexitPipelineMode(&handle_) != 1) connection_.is_broken_ = true;
}

void PqTransaction::SendValues(const char* name, absl::Span<const Value> values) {
  if (!wait_) wait_.emplace(*connection_.waits_, connection_.answer_limit());
  if (!is_begun_) {
    is_begun_ = has_begin_ = true;
    Queue("begin", {});
  }
  Queue(name, values);
}

// Blocks only if libpq's buffer is full; then it takes answers in meanwhile, for which the server may
// be waiting.
void PqTransaction::Queue(const char* name, absl::Span<const Value> values) {
  if (is_unsendable_) return;
  absl::InlinedVector<const char*, kUsualValues> bytes;
  absl::InlinedVector<int, kUsualValues> sizes;
  absl::InlinedVector<int, kUsualValues> formats;
  for (const Value& value : values) {
    bytes.push_back(value.data());
    sizes.push_back(value.size());
    formats.push_back(value.is_binary() ? 1 : 0);
  }
  is_unsendable_ = PQsendQueryPrepared(&handle_, name, static_cast<int>(values.size()),
                                       bytes.data(), sizes.data(), formats.data(), 0) != 1;
  ++queued_;
}

absl::StatusOr<std::vector<PqRows>> PqTransaction::Ask() {
  const bool has_begin = has_begin_;
  auto results = Trip();
  if (results.ok() && has_begin) results->erase(results->begin());
  return results;
}

absl::Status PqTransaction::Commit() {
  if (!wait_) wait_.emplace(*connection_.waits_, connection_.answer_limit());
  // As long as COMMIT was not sent it is certain that nothing is done.
  if (connection_.HasPeerEnded()) return connection_.PeerEnded();
  if (is_unsendable_) return Lost();
  has_commit_ = true;
  Queue("commit", {});
  const auto results = Trip();
  if (!results.ok()) return results.status();
  if (results->back().Tag() == "COMMIT") return absl::OkStatus();
  return absl::InternalError("PostgreSQL rolled back what was to be committed");
}

absl::StatusOr<std::vector<PqRows>> PqTransaction::Trip() {
  auto results = is_unsendable_ || PQpipelineSync(&handle_) != 1
                     ? absl::StatusOr<std::vector<PqRows>>(Lost())
                     : Read();
  // It may have fired behind the last answer.
  if (wait_->has_fired()) connection_.is_broken_ = true;
  wait_.reset();
  queued_ = 0;
  has_begin_ = false;
  return results;
}

absl::StatusOr<std::vector<PqRows>> PqTransaction::Read() {
  std::vector<PqRows> results;
  results.reserve(queued_);
  absl::Status failed;
  for (size_t i = 0; i < queued_; ++i) {
    const PqRows& rows = results.emplace_back(PQgetResult(&handle_));
    const ExecStatusType kind = PQresultStatus(rows.get());
    // PGRES_PIPELINE_ABORTED: the server has passed over it, behind the one that failed.
    if (kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK && kind != PGRES_PIPELINE_ABORTED) {
      const char* state = PQresultErrorField(rows.get(), PG_DIAG_SQLSTATE);
      if (state == nullptr) return Lost();  // The server has said nothing.
      const bool is_commit = has_commit_ && i + 1 == queued_;
      failed = PostgresStatus(state, PQresultErrorMessage(rows.get()),
                              is_commit ? PostgresPhase::kCommitting : PostgresPhase::kRunning);
    }
    const PqRows end(PQgetResult(&handle_));  // Nothing: it ends the statement's results.
  }
  const PqRows end(PQgetResult(&handle_));
  if (PQresultStatus(end.get()) != PGRES_PIPELINE_SYNC) {
    const absl::Status lost = Lost();
    return failed.ok() ? lost : failed;
  }
  if (!failed.ok()) return failed;
  return results;
}

absl::Status PqTransaction::Lost() {
  const auto phase = has_commit_ ? PostgresPhase::kCommitting : PostgresPhase::kRunning;
  connection_.is_broken_ = true;
  if (wait_->has_fired()) return connection_.TimedOut(phase);
  return PostgresStatus("", PQerrorMessage(&handle_), phase);
}

void PqTransaction::RollBack() {
  wait_.emplace(*connection_.waits_, connection_.answer_limit());
  has_commit_ = false;
  Queue("rollback", {});
  if (!Trip().ok()) connection_.is_broken_ = true;
}

}  // namespace confab::storage
