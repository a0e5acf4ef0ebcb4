package io.github.eft4j.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The threads of the process that share the work of one operation. An operation is cut into tasks;
 * the calling thread and the workers take one after another until none is left. Regions are short
 * (some microseconds to milliseconds) and follow one another closely, so everyone spins for a while
 * before parking.
 *
 * <p>One region runs on the workers at a time. A thread that calls while they are busy, or that
 * calls from inside a task, does its tasks alone instead of waiting: with many callers every core
 * has work anyway. Which thread does a task never changes its result. Platform and virtual threads
 * may call; a region allocates nothing.
 */
final class WorkerPool {
  /** The work of one region. */
  interface Tasks {
    /**
     * Does one task.
     *
     * @param task the task's index
     * @param worker who does it: 0 for the caller, less than the region's limit; tasks of one
     *     region that run at the same time have different ones
     */
    void run(int task, int worker);
  }

  /** The pool of this process. */
  static final WorkerPool SHARED = new WorkerPool();

  /** How long a worker looks for the next region before it parks. */
  private static final long SPIN_NANOSECONDS = 50_000;

  /** How often a waiting thread looks before it asks the clock. */
  private static final int LOOKS = 64;

  /** The lower half of {@link #state} while no task may be taken. */
  private static final long CLOSED = 0xffff_ffffL;

  private static final VarHandle STATE;
  private static final VarHandle DONE;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      STATE = lookup.findVarHandle(WorkerPool.class, "state", long.class);
      DONE = lookup.findVarHandle(WorkerPool.class, "done", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final AtomicBoolean busy = new AtomicBoolean();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  /**
   * Upper half: the region's number; lower half: the next task. A task is taken by counting up, so
   * a worker that still holds an older region's fields cannot take anything: the number differs.
   */
  @SuppressWarnings("unused") // through STATE
  private volatile long state = CLOSED;

  @SuppressWarnings("unused") // through DONE
  private volatile int done;

  // Written by the caller while the state is CLOSED, read by workers that then take a task.
  private int count;
  private int limit;
  private @Nullable Tasks tasks;

  private volatile Worker[] workers = new Worker[0];
  private volatile @Nullable Thread waiting;

  WorkerPool() {}

  /**
   * Does all tasks of a region.
   *
   * @param count the number of tasks
   * @param limit the greatest number of threads that take part, the caller included
   * @param tasks does them
   * @throws RuntimeException the first exception that a task threw, after all tasks ended; tasks
   *     not yet begun are then left out
   */
  void run(int count, int limit, Tasks tasks) {
    if (count <= 1 || limit <= 1 || !busy.compareAndSet(false, true)) {
      for (int task = 0; task < count; task++) {
        tasks.run(task, 0);
      }
      return;
    }
    try {
      shared(count, Math.min(limit, count), tasks);
    } finally {
      busy.set(false);
    }
  }

  private void shared(int count, int limit, Tasks tasks) {
    Worker[] team = workers;
    if (team.length < limit - 1) {
      team = hire(limit - 1);
    }
    this.count = count;
    this.limit = limit;
    this.tasks = tasks;
    done = 0;
    long region = ((state >>> 32) + 1) << 32;
    state = region;
    for (int w = 0; w < limit - 1; w++) {
      team[w].wake();
    }
    work(region, 0);
    await(count);
    state = region | CLOSED;
    this.tasks = null;
    Throwable thrown = failure.getAndSet(null);
    if (thrown instanceof Error error) {
      throw error;
    } else if (thrown != null) {
      throw (RuntimeException) thrown; // tasks declare no checked exception
    }
  }

  private synchronized Worker[] hire(int size) {
    Worker[] now = workers;
    Worker[] team = java.util.Arrays.copyOf(now, Math.max(size, now.length));
    for (int w = now.length; w < size; w++) {
      team[w] = new Worker(w + 1);
      team[w].start();
    }
    workers = team;
    return team;
  }

  /** Takes tasks of a region until none is left. */
  private void work(long region, int worker) {
    while (true) {
      long now = state;
      int task = (int) now;
      if ((now & ~CLOSED) != region || (now & CLOSED) == CLOSED) {
        return;
      }
      Tasks body = tasks;
      if (task >= count || worker >= limit || body == null) {
        return;
      }
      if (STATE.compareAndSet(this, now, now + 1)) {
        if (failure.get() == null) {
          try {
            body.run(task, worker);
          } catch (Throwable t) { // the caller throws it
            failure.compareAndSet(null, t);
          }
        }
        finished();
      }
    }
  }

  private void finished() {
    int total = count; // before the last task is counted: then the caller may change it
    if ((int) DONE.getAndAdd(this, 1) + 1 == total) {
      Thread caller = waiting;
      if (caller != null) {
        LockSupport.unpark(caller);
      }
    }
  }

  private void await(int total) {
    long since = 0;
    for (int looks = 1; done < total; looks++) {
      Thread.onSpinWait();
      if (looks % LOOKS == 0) {
        long now = System.nanoTime();
        if (since == 0) {
          since = now;
        } else if (now - since > SPIN_NANOSECONDS) {
          waiting = Thread.currentThread();
          while (done < total) {
            LockSupport.park(this);
          }
          waiting = null;
        }
      }
    }
  }

  private final class Worker extends Thread {
    private final int index;
    private volatile boolean parked;

    Worker(int index) {
      super("eft4j-worker-" + index);
      this.index = index;
      setDaemon(true);
    }

    void wake() {
      if (parked) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      long last = state & ~CLOSED;
      while (true) {
        last = next(last);
        work(last, index);
      }
    }

    /** Waits for a region with another number. */
    private long next(long last) {
      long since = 0;
      for (int looks = 1; ; looks++) {
        long now = state & ~CLOSED;
        if (now != last) {
          return now;
        }
        Thread.onSpinWait();
        if (looks % LOOKS == 0) {
          long time = System.nanoTime();
          if (since == 0) {
            since = time;
          } else if (time - since > SPIN_NANOSECONDS) {
            parked = true;
            while ((state & ~CLOSED) == last) {
              LockSupport.park(WorkerPool.this);
            }
            parked = false;
            since = 0;
          }
        }
      }
    }
  }
}
