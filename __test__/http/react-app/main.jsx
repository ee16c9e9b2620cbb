import { PerformanceDashboard, usePerformance } from 'hotpath/react';
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import 'hotpath/react/dashboard.css';

// As document 004 shows it.
function MyComponent() {
  const {
    performanceSummary,
    cacheStats,
    isMonitoring,
    startMonitoring,
    stopMonitoring,
    runOptimization,
    clearCache,
    performanceStatus,
    performanceScore,
  } = usePerformance();
  const [answer, setAnswer] = useState('');

  useEffect(() => {
    startMonitoring();
    return () => stopMonitoring();
  }, [startMonitoring, stopMonitoring]);

  const tell = (promise) =>
    promise.then(
      () => setAnswer('done'),
      (error) => setAnswer(error.code),
    );
  return (
    <div>
      <h2>Performance Score: {performanceScore}</h2>
      <p id="status">Status: {performanceStatus}</p>
      <p id="throughput">{performanceSummary?.metrics.throughput}</p>
      <p id="size">{cacheStats?.size}</p>
      <p id="monitoring">{String(isMonitoring)}</p>
      <p id="answer">{answer}</p>
      <button type="button" onClick={() => tell(runOptimization())}>
        Optimize Performance
      </button>
      <button type="button" onClick={(event) => tell(clearCache(event))}>
        Clear
      </button>
      <button type="button" onClick={stopMonitoring}>
        Stop
      </button>
    </div>
  );
}

function App() {
  const [shown, setShown] = useState(true);
  return (
    <StrictMode>
      <MyComponent />
      <button type="button" onClick={() => setShown(!shown)}>
        Toggle
      </button>
      {shown && <PerformanceDashboard theme="dark" />}
    </StrictMode>
  );
}

createRoot(document.querySelector('#root')).render(<App />);
