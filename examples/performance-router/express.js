'use strict';

const express = require('express');
const { legacyRoutes, performanceMonitor, performanceRouter, timingMiddleware } = require('hotpath');
const { performance, untilSignal } = require('./services.js');

const { services, options } = performance();
const router = performanceRouter(services, options);
const app = express();

app.use(timingMiddleware);
app.get('/api/hello', (_request, response) => response.json({ hello: 'world' }));
app.use('/api/performance', router);
app.use(legacyRoutes({ monitor: performanceMonitor }));

const server = app.listen(Number(process.env.PORT ?? 3000), () => untilSignal(server, router, services));
