package org.careplanadapter.hapi;

import ca.uhn.fhir.batch2.api.IJobMaintenanceService;
import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.batch2.maintenance.JobMaintenanceServiceImpl;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.binary.api.IBinaryStorageSvc;
import ca.uhn.fhir.jpa.binstore.MemoryBinaryStorageSvcImpl;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirPostgresDialect;
import ca.uhn.fhir.jpa.searchparam.submit.config.SearchParamSubmitterConfig;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.match.config.SubscriptionProcessorConfig;
import ca.uhn.fhir.jpa.subscription.match.deliver.email.IEmailSender;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import jakarta.annotation.PostConstruct;
import jakarta.persistence.EntityManagerFactory;
import java.util.Properties;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.hl7.fhir.dstu2.model.Subscription;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;
import org.springframework.transaction.annotation.EnableTransactionManagement;

/** The beans that HAPI's own configurations ask for, with every choice taken from the environment. */
@Configuration
@EnableTransactionManagement
@Import({
    JpaR4Config.class,
    HapiJpaConfig.class,
    JpaBatch2Config.class,
    Batch2JobsConfig.class,
    ThreadPoolFactoryConfig.class,
    SubscriptionSubmitterConfig.class,
    SubscriptionProcessorConfig.class,
    SubscriptionChannelConfig.class,
    SearchParamSubmitterConfig.class
})
public class Wiring {

    static String text(String name, String fallback) {
        String value = System.getenv(name);
        return value == null || value.isBlank() ? fallback : value.trim();
    }

    static int number(String name, int fallback) {
        return Integer.parseInt(text(name, Integer.toString(fallback)));
    }

    static boolean flag(String name, boolean fallback) {
        return Boolean.parseBoolean(text(name, Boolean.toString(fallback)));
    }

    private static String url() {
        return text("JDBC_URL", "jdbc:h2:mem:fhir;DB_CLOSE_DELAY=-1");
    }

    @Bean
    JpaStorageSettings storageSettings() {
        JpaStorageSettings settings = new JpaStorageSettings();
        settings.setResourceClientIdStrategy(
                JpaStorageSettings.ClientIdStrategyEnum.valueOf(text("CLIENT_ID", "ALPHANUMERIC")));
        settings.setResourceServerIdStrategy(
                JpaStorageSettings.IdStrategyEnum.valueOf(text("SERVER_ID", "SEQUENTIAL_NUMERIC")));
        boolean integrity = flag("REF_INTEGRITY", true);
        settings.setEnforceReferentialIntegrityOnWrite(integrity);
        settings.setEnforceReferentialIntegrityOnDelete(integrity);
        settings.setAllowExternalReferences(flag("EXTERNAL_REFS", false));
        settings.setAutoCreatePlaceholderReferenceTargets(flag("PLACEHOLDERS", false));
        settings.setExpungeEnabled(flag("EXPUNGE", true));
        settings.setAllowMultipleDelete(flag("MULTIPLE_DELETE", true));
        settings.setEnableTaskBulkExportJobExecution(flag("BULK_EXPORT", false));
        int reuse = number("SEARCH_CACHE_MS", 60_000);
        settings.setReuseCachedSearchResultsForMillis(reuse > 0 ? (long) reuse : null);
        int largest = number("MAX_BUNDLE", 0);
        settings.setMaximumTransactionBundleSize(largest > 0 ? largest : null);
        settings.setHibernateSearchIndexFullText(false);
        return settings;
    }

    @Bean
    SubscriptionSettings subscriptionSettings() {
        SubscriptionSettings settings = new SubscriptionSettings();
        if (flag("SUBSCRIPTIONS", false)) {
            settings.addSupportedSubscriptionType(Subscription.SubscriptionChannelType.RESTHOOK);
        }
        return settings;
    }

    @Bean
    PartitionSettings partitionSettings() {
        return new PartitionSettings();
    }

    @Bean(destroyMethod = "close")
    DataSource dataSource() {
        BasicDataSource source = new BasicDataSource();
        source.setUrl(url());
        source.setUsername(text("JDBC_USER", "sa"));
        source.setPassword(text("JDBC_PASSWORD", ""));
        source.setMaxTotal(number("DB_CONNECTIONS", 16));
        return source;
    }

    @Bean
    LocalContainerEntityManagerFactoryBean entityManagerFactory(
            ConfigurableListableBeanFactory beans, FhirContext fhir, JpaStorageSettings settings, DataSource source) {
        LocalContainerEntityManagerFactoryBean factory =
                HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, settings);
        factory.setPersistenceUnitName("hapi");
        factory.setDataSource(source);
        Properties properties = new Properties();
        boolean h2 = url().startsWith("jdbc:h2:");
        Class<?> dialect = h2 ? HapiFhirH2Dialect.class : HapiFhirPostgresDialect.class;
        properties.put("hibernate.dialect", dialect.getName());
        properties.put("hibernate.hbm2ddl.auto", url().startsWith("jdbc:h2:mem:") ? "create-only" : "update");
        properties.put("hibernate.search.enabled", "false");
        properties.put("hibernate.jdbc.batch_size", "20");
        factory.setJpaProperties(properties);
        return factory;
    }

    @Bean
    @Primary
    JpaTransactionManager transactionManager(EntityManagerFactory factory) {
        return new JpaTransactionManager(factory);
    }

    @Bean
    IBinaryStorageSvc binaryStorage() {
        return new MemoryBinaryStorageSvcImpl();
    }

    @Bean
    IEmailSender emailSender() {
        return details -> {};
    }

    /** Lets batch jobs ($export, $expunge of many) advance each second, not each minute. */
    @Configuration
    public static class QuickJobs {
        @Autowired
        private IJobMaintenanceService jobs;

        @PostConstruct
        void hurry() {
            ((JobMaintenanceServiceImpl) jobs).setScheduledJobFrequencyMillis(number("BATCH_MS", 1000));
        }
    }
}
