package org.careplanadapter.hapi;

import ca.uhn.fhir.batch2.jobs.export.BulkDataExportProvider;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.cache.IResourceTypeCacheSvc;
import ca.uhn.fhir.jpa.interceptor.UserRequestRetryVersionConflictsInterceptor;
import ca.uhn.fhir.jpa.model.util.ResourceLinkUtils;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.RequestValidatingInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import java.io.IOException;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * Starts the server, prints one line "READY url", and ends when its standard input ends (the one who started it is gone)
 * or on SIGTERM. Options come from the environment: see {@link Wiring} and {@link #main}.
 */
public final class Main {

    private Main() {}

    public static void main(String[] args) throws Exception {
        // Quiet unless something is wrong: the constraint races that tests provoke would otherwise fill the log.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", Wiring.text("LOG_LEVEL", "error"));
        AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext(Wiring.class);
        // The first concurrent transactions race for this row, and one of them would be rolled back.
        context.getBean(IResourceTypeCacheSvc.class).getResourceTypeId(ResourceLinkUtils.UNKNOWN);

        Server server = listen(new Face(context));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, context)));
        ServerConnector connector = (ServerConnector) server.getConnectors()[0];
        System.out.println("READY http://" + connector.getHost() + ":" + connector.getLocalPort() + "/fhir");
        System.out.flush();
        awaitEndOfInput();
        System.exit(0);
    }

    private static Server listen(RestfulServer face) throws Exception {
        Server server = new Server(new QueuedThreadPool(Wiring.number("HTTP_THREADS", 24)));
        ServerConnector connector = new ServerConnector(server);
        connector.setHost(Wiring.text("HOST", "127.0.0.1"));
        connector.setPort(Wiring.number("PORT", 0));
        server.addConnector(connector);
        ServletContextHandler handler = new ServletContextHandler();
        handler.setContextPath("/");
        handler.addServlet(new ServletHolder(face), "/fhir/*");
        server.setHandler(handler);
        server.start();
        return server;
    }

    private static void awaitEndOfInput() throws IOException {
        byte[] sink = new byte[256];
        while (System.in.read(sink) >= 0) {
            // Nothing is read from it: only its end matters.
        }
    }

    private static void stop(Server server, AnnotationConfigApplicationContext context) {
        try {
            server.stop();
        } catch (Exception ignored) {
            // On the way out already.
        }
        context.close();
    }

    /** HAPI's REST face over the wired parts. */
    private static final class Face extends RestfulServer {
        private static final long serialVersionUID = 1L;
        private final transient AnnotationConfigApplicationContext context;

        Face(AnnotationConfigApplicationContext context) {
            super(context.getBean(FhirContext.class));
            this.context = context;
        }

        @Override
        protected void initialize() {
            registerProviders(context.getBean(ResourceProviderFactory.class).createProviders());
            registerProvider(context.getBean(JpaSystemProvider.class));
            if (Wiring.flag("BULK_EXPORT", false)) {
                registerProvider(context.getBean(BulkDataExportProvider.class));
            }
            IFhirSystemDao<?, ?> dao = context.getBean(IFhirSystemDao.class);
            IValidationSupport support = context.getBean("myJpaValidationSupportChain", IValidationSupport.class);
            JpaCapabilityStatementProvider capability = new JpaCapabilityStatementProvider(
                    this, dao, context.getBean(JpaStorageSettings.class), context.getBean(ISearchParamRegistry.class), support);
            capability.setImplementationDescription("HAPI FHIR for tests");
            setServerConformanceProvider(capability);
            DatabaseBackedPagingProvider paging = context.getBean(DatabaseBackedPagingProvider.class);
            paging.setDefaultPageSize(Wiring.number("PAGE_DEFAULT", 20));
            paging.setMaximumPageSize(Wiring.number("PAGE_MAX", 200));
            setPagingProvider(paging);
            if (Wiring.flag("VALIDATE", false)) {
                registerInterceptor(validating(support));
            }
            if (Wiring.flag("RETRY_CONFLICTS", false)) {
                registerInterceptor(new UserRequestRetryVersionConflictsInterceptor());
            }
        }

        private static RequestValidatingInterceptor validating(IValidationSupport support) {
            RequestValidatingInterceptor interceptor = new RequestValidatingInterceptor();
            interceptor.addValidatorModule(new FhirInstanceValidator(support));
            interceptor.setFailOnSeverity(ResultSeverityEnum.ERROR);
            return interceptor;
        }
    }
}
