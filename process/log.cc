#include "process/log.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <spdlog/async_logger.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "process/log_line.h"
#include "process/stopwatch.h"

namespace confab::process {
namespace {

// Lines that may wait for a slow reader of stderr: seconds of a busy server, about 1 MiB.
constexpr size_t kQueueLimit = 2048;

// Tells when a flush asked for has passed the queue.
class StderrSink : public spdlog::sinks::stderr_sink_mt {
 public:
  void flush() override {
    spdlog::sinks::stderr_sink_mt::flush();
    flushes_.fetch_add(1, std::memory_order_release);
  }
  int flushes() const { return flushes_.load(std::memory_order_acquire); }

 private:
  std::atomic<int> flushes_{0};
};

// How long FlushLog waits for a stuck reader of stderr.
constexpr absl::Duration kFlushLimit = absl::Seconds(1);

struct Sink {
  std::shared_ptr<StderrSink> stderr_sink = std::make_shared<StderrSink>();
  std::string component = "start";
  bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> queued;  // Null before InitLog.
  std::shared_ptr<spdlog::logger> direct;
  std::atomic<LogLevel> level{LogLevel::kWarn};
  std::atomic<bool> is_direct{true};
  std::atomic<size_t> lost_told{0};
};

// Never destroyed: other threads may still log while the process ends.
Sink& TheSink() {
  static Sink& sink = *[] {
    auto* made = new Sink();
    made->direct = std::make_shared<spdlog::logger>("direct", made->stderr_sink);
    made->direct->set_pattern("%v");
    made->direct->set_level(spdlog::level::trace);
    return made;
  }();
  return sink;
}

void Emit(Sink& sink, LogLevel level, std::string_view msg, std::initializer_list<Field> fields) {
  const LogLine parts{absl::Now(), level, sink.component, msg, fields};
  const std::string line = sink.is_terminal ? TextLogLine(parts) : JsonLogLine(parts);
  const bool is_direct = sink.is_direct.load(std::memory_order_acquire);
  spdlog::logger& logger = is_direct ? *sink.direct : *sink.queued;
  logger.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

void Write(LogLevel level, std::string_view msg, std::initializer_list<Field> fields) {
  Sink& sink = TheSink();
  if (level < sink.level.load(std::memory_order_relaxed)) return;
  Emit(sink, level, msg, fields);
  if (sink.is_direct.load(std::memory_order_acquire)) return;
  const size_t lost = sink.pool->overrun_counter();
  size_t told = sink.lost_told.load(std::memory_order_relaxed);
  // Told once the reader keeps up again; before, this line would only push out another.
  if (lost == told || sink.pool->queue_size() > kQueueLimit / 2) return;
  if (sink.lost_told.compare_exchange_strong(told, lost)) {
    Emit(sink, LogLevel::kWarn, "log lines were lost: stderr is read too slowly",
         {{"lines", lost - told}});
  }
}

void BlockSignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), "log");
}

}  // namespace

void InitLog(std::string_view component, std::string_view level) {
  Sink& sink = TheSink();
  sink.component = std::string(component);
  if (!sink.queued) {
    sink.pool = std::make_shared<spdlog::details::thread_pool>(kQueueLimit, 1, BlockSignals);
    sink.queued = std::make_shared<spdlog::async_logger>(
        "queued", sink.stderr_sink, sink.pool, spdlog::async_overflow_policy::overrun_oldest);
    sink.queued->set_level(spdlog::level::trace);
    sink.queued->set_pattern("%v");
    sink.is_direct.store(false, std::memory_order_release);
  }
  sink.level = level == "debug"   ? LogLevel::kDebug
               : level == "warn"  ? LogLevel::kWarn
               : level == "error" ? LogLevel::kError
                                  : LogLevel::kInfo;
}

bool IsDebugLogged() { return TheSink().level.load(std::memory_order_relaxed) == LogLevel::kDebug; }

void LogDebug(std::string_view msg, std::initializer_list<Field> fields) {
  Write(LogLevel::kDebug, msg, fields);
}
void LogInfo(std::string_view msg, std::initializer_list<Field> fields) {
  Write(LogLevel::kInfo, msg, fields);
}
void LogWarn(std::string_view msg, std::initializer_list<Field> fields) {
  Write(LogLevel::kWarn, msg, fields);
}
void LogError(std::string_view msg, std::initializer_list<Field> fields) {
  Write(LogLevel::kError, msg, fields);
}

void FlushLog() {
  Sink& sink = TheSink();
  if (sink.is_direct.exchange(true, std::memory_order_acq_rel)) return;
  const int before = sink.stderr_sink->flushes();
  sink.queued->flush();  // Queued behind every line.
  const Stopwatch waited;
  while (sink.stderr_sink->flushes() == before && waited.elapsed() < kFlushLimit) {
    absl::SleepFor(absl::Milliseconds(1));
  }
}

}  // namespace confab::process
